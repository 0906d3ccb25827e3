//! Mail over a real socket: a small mail server that listens on loopback.

use std::sync::{Arc, Mutex};

use dunlin_store::now_us;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::{OutboxMailer, Post, Smtp, SmtpSettings, SmtpTls};
use crate::audit::scene::Scene;
use crate::mail_port::{Mail, Mailer};
use crate::outgoing::outbox::{NotCarried, Outbox};
use crate::outgoing::{Outgoing, OutgoingSettings};
use crate::token::Secret;

/// Answers `RCPT TO` with this and keeps what came.
async fn mail_server(rcpt: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = heard.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(socket, true, rcpt, log.clone()));
        }
    });
    (port, heard)
}

/// Speaks with one client.
async fn answer(
    socket: impl AsyncRead + AsyncWrite,
    greets: bool,
    rcpt: &'static str,
    log: Arc<Mutex<Vec<String>>>,
) {
    let (read, mut write) = tokio::io::split(Box::pin(socket));
    let mut lines = BufReader::new(read).lines();
    if greets {
        write.write_all(b"220 test\r\n").await.unwrap();
    }
    let mut in_data = false;
    while let Ok(Some(line)) = lines.next_line().await {
        log.lock().unwrap().push(line.clone());
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "." if in_data => {
                in_data = false;
                "250 taken"
            }
            _ if in_data => continue,
            "EHLO" => "250-test\r\n250 AUTH PLAIN",
            "AUTH" => "235 ok",
            "RCPT" => rcpt,
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The same under TLS: from the first byte, or after `STARTTLS`. Gives its certificate too.
async fn tls_mail_server(implicit: bool) -> (u16, String, Arc<Mutex<Vec<String>>>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = heard.clone();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            if !implicit {
                socket.write_all(b"220 test\r\n").await.unwrap();
                let mut lines = BufReader::new(&mut socket).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    let starts = line == "STARTTLS";
                    let said: &[u8] = if starts { b"220 go on\r\n" } else { b"250-test\r\n250 STARTTLS\r\n" };
                    lines.get_mut().get_mut().write_all(said).await.unwrap();
                    if starts {
                        break;
                    }
                }
            }
            // Who does not believe the certificate goes away.
            if let Ok(stream) = acceptor.accept(socket).await {
                // After STARTTLS the client begins: the greeting was before.
                answer(stream, implicit, "250 ok", log.clone()).await;
            }
        }
    });
    (port, made.cert.pem(), heard)
}

fn smtp(port: u16) -> Smtp {
    let settings = SmtpSettings {
        host: "127.0.0.1".into(),
        port,
        tls: SmtpTls::None,
        login: Some(("dunlin".into(), Secret::new("p4ss"))),
        from: "Atlas <dunlin@atlas.example>".into(),
        authorities: None,
    };
    Smtp::new(&settings).unwrap()
}

#[tokio::test]
async fn what_the_mailer_took_over_arrives_also_after_a_restart() {
    let scene = Scene::new().await;
    let state = scene.workspace.state().clone();
    let outbox = Outbox::new(state.clone(), scene.workspace.keyring());
    let mailer = OutboxMailer::new(state.clone(), outbox);
    let mail = Mail {
        to: "ana@example.com".into(),
        subject: "Your link\r\nBcc: evil@example.com".into(),
        text: "Hello Ana,\n\nhttps://dunlin.example/recover/abc\n.\nend\n".into(),
    };
    mailer.send(mail).await.unwrap();

    let (port, heard) = mail_server("250 ok").await;
    let client = Outgoing::new(OutgoingSettings::default()).unwrap();
    let none = Post { smtp: None, webhooks: Vec::new(), client: client.clone() };
    let fresh = Outbox::new(state, scene.workspace.keyring());
    assert_eq!(
        fresh.deliver_due(now_us(), &none).await.unwrap().postponed,
        1,
        "without a mail server it waits"
    );
    let post = Post { smtp: Some(smtp(port)), webhooks: Vec::new(), client };
    assert_eq!(fresh.deliver_due(now_us() + 60_000_000, &post).await.unwrap().sent, 1);
    let heard = heard.lock().unwrap().clone();
    let has = |line: &str| heard.iter().any(|l| l == line);
    assert!(has("MAIL FROM:<dunlin@atlas.example>") && has("RCPT TO:<ana@example.com>"), "{heard:?}");
    assert!(heard.iter().any(|l| l.starts_with("Subject: Your link")), "{heard:?}");
    assert!(
        !heard.iter().any(|l| l.starts_with("Bcc:") || l.contains("RCPT TO:<evil")),
        "no line of its own: {heard:?}"
    );
    assert!(has("https://dunlin.example/recover/abc") && has("..") && has("end"), "{heard:?}");
}

#[tokio::test]
async fn a_refusal_is_told_from_a_server_that_is_busy() {
    let send = |rcpt| async move {
        let (port, _) = mail_server(rcpt).await;
        smtp(port).send("id1", "ana@example.com", "s", "t").await
    };
    let busy = Err(NotCarried { code: "mail_server_busy", again: true });
    assert_eq!(send("451 later, ana@example.com").await, busy);
    let refused = Err(NotCarried { code: "refused_by_mail_server", again: false });
    assert_eq!(send("550 no such user ana@example.com").await, refused);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let gone = smtp(nobody).send("id1", "ana@example.com", "s", "t").await;
    assert_eq!(gone, Err(NotCarried { code: "no_connection", again: true }));
}

#[test]
fn mail_leaves_this_machine_under_tls_only() {
    let settings = |host: &str, tls| SmtpSettings {
        host: host.into(),
        port: 587,
        tls,
        login: None,
        from: "dunlin@atlas.example".into(),
        authorities: None,
    };
    assert!(Smtp::new(&settings("mail.example", SmtpTls::None)).is_err());
    assert!(Smtp::new(&settings("10.0.0.1", SmtpTls::None)).is_err());
    assert!(Smtp::new(&settings("localhost", SmtpTls::None)).is_ok());
    assert!(Smtp::new(&settings("mail.example", SmtpTls::StartTls)).is_ok());
    let printed = format!(
        "{:?}",
        SmtpSettings { login: Some(("u".into(), Secret::new("p4ss"))), ..settings("x", SmtpTls::Implicit) }
    );
    assert!(!printed.contains("p4ss"), "{printed}");
}

#[tokio::test]
async fn mail_goes_under_tls_to_a_server_of_the_own_authority_and_to_no_other() {
    for implicit in [true, false] {
        let (port, pem, heard) = tls_mail_server(implicit).await;
        let send = |authorities: Option<String>| async move {
            let settings = SmtpSettings {
                host: "localhost".into(),
                port,
                tls: if implicit { SmtpTls::Implicit } else { SmtpTls::StartTls },
                login: Some(("dunlin".into(), Secret::new("p4ss"))),
                from: "dunlin@atlas.example".into(),
                authorities,
            };
            Smtp::new(&settings).unwrap().send("id1", "ana@example.com", "s", "hello").await
        };
        assert!(send(None).await.is_err(), "a certificate that nobody vouches for");
        assert!(heard.lock().unwrap().is_empty(), "nothing was said to that server, a password least of all");
        send(Some(pem)).await.unwrap();
        let heard = heard.lock().unwrap().clone();
        assert!(
            heard.iter().any(|l| l == "hello") && heard.iter().any(|l| l.starts_with("AUTH")),
            "{heard:?}"
        );
    }
}
