//! What an attacker would try with an address to call, and what happens to messages that do not arrive.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dunlin_store::now_us;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use super::outbox::{Carrier, Message, NotCarried, Outbox, PAUSES_S};
use super::*;
use crate::audit::scene::Scene;
use crate::token::Secret;

/// Answers each look-up with the next of these; the last one stays.
struct Names(Vec<Vec<&'static str>>, AtomicUsize);

#[async_trait::async_trait]
impl Resolver for Names {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let n = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
        Ok(self.0[n].iter().map(|a| a.parse().unwrap()).collect())
    }
}

fn client(allow: &[&str], answers: Vec<Vec<&'static str>>) -> Outgoing {
    let allow = AllowList(allow.iter().map(|a| a.parse().unwrap()).collect());
    let settings = OutgoingSettings { allow, authorities: None };
    Outgoing::with_resolver(settings, Arc::new(Names(answers, AtomicUsize::new(0)))).unwrap()
}

async fn checked(allow: &[&str], url: &str, answers: &[&'static str]) -> Result<(), OutgoingError> {
    client(allow, vec![answers.to_vec()]).check(&Url::parse(url).unwrap()).await
}

#[test]
fn addresses_that_are_not_public_however_they_are_written() {
    for address in [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "2001::1",
        "2001:db8::1",
        "2001:10::1",
        "3fff::1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd12:3456::1",
        "ff02::1",
        "100::1",
        "5f00::1",
        "4000::1",
    ] {
        assert!(refused_because(address.parse().unwrap()).is_some(), "{address} is refused");
    }
    for address in [
        "1.1.1.1",
        "93.184.215.14",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "64:ff9b::1.1.1.1",
        "::ffff:1.1.1.1",
    ] {
        assert_eq!(refused_because(address.parse().unwrap()), None, "{address} is public");
    }
}

#[tokio::test]
async fn an_answer_that_mixes_public_and_private_is_refused_as_a_whole() {
    let url = "https://hooks.example/x";
    assert_eq!(checked(&[], url, &["93.184.215.14"]).await, Ok(()));
    for answers in
        [["93.184.215.14", "127.0.0.1"], ["10.0.0.1", "93.184.215.14"], ["2606:4700::1111", "fe80::1"]]
    {
        let error = checked(&[], url, &answers).await.unwrap_err();
        assert!(matches!(error, OutgoingError::Refused(_)), "{answers:?}: {error}");
    }
    assert_eq!(checked(&[], url, &[]).await, Err(OutgoingError::NotFound));
}

#[tokio::test]
async fn written_addresses_are_checked_too() {
    for url in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/latest",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[64:ff9b::7f00:1]/",
    ] {
        let error = checked(&[], url, &["93.184.215.14"]).await.unwrap_err();
        assert!(matches!(error, OutgoingError::Refused(_)), "{url}: {error}");
    }
    assert_eq!(
        checked(&[], "https://u:p@hooks.example/", &["1.1.1.1"]).await,
        Err(OutgoingError::Credentials)
    );
    assert_eq!(checked(&[], "http://hooks.example/", &["1.1.1.1"]).await, Err(OutgoingError::Plain));
    assert_eq!(checked(&[], "ftp://hooks.example/", &["1.1.1.1"]).await, Err(OutgoingError::BadAddress));
    assert_eq!(checked(&[], "file:///etc/passwd", &["1.1.1.1"]).await, Err(OutgoingError::BadAddress));
}

#[tokio::test]
async fn the_list_of_exceptions_covers_what_it_says_and_no_more() {
    let ok = |allow: &'static [&'static str], url: &'static str, answers: &'static [&'static str]| async move {
        checked(allow, url, answers).await.is_ok()
    };
    assert!(ok(&["idp.local"], "https://idp.local/", &["10.0.0.1"]).await);
    assert!(ok(&["IDP.local"], "http://idp.LOCAL./", &["10.0.0.1"]).await, "names have no case");
    assert!(!ok(&["idp.local"], "https://other.local/", &["10.0.0.1"]).await);
    assert!(!ok(&["idp.local"], "https://idp.local.evil.example/", &["10.0.0.1"]).await);
    assert!(!ok(&["idp.local:8443"], "https://idp.local/", &["10.0.0.1"]).await);
    assert!(ok(&["idp.local:8443"], "https://idp.local:8443/", &["10.0.0.1"]).await);
    assert!(ok(&["10.0.0.0/8"], "http://10.1.2.3/", &[]).await);
    assert!(ok(&["10.0.0.0/8"], "http://[::ffff:10.1.2.3]/", &[]).await);
    assert!(!ok(&["10.0.0.0/8"], "http://192.168.0.1/", &[]).await);
    // A listed name that is made to lead to the cloud's credentials.
    assert!(!ok(&["idp.local"], "https://idp.local/", &["169.254.169.254"]).await);
    assert!(ok(&["169.254.169.254"], "http://169.254.169.254/", &[]).await);
    for bad in ["", "a b", "http://x", "x:y", "*"] {
        assert!(bad.parse::<Allowed>().is_err(), "{bad:?}");
    }
}

/// A server that answers each connection with the next of these texts and keeps what it was sent.
async fn server(answers: Vec<String>) -> (u16, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = heard.clone();
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let n = socket.read(&mut buffer).await.unwrap();
                request.extend(&buffer[..n]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head
                    .lines()
                    .find_map(|l| l.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                if body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
                    break;
                }
            }
            log.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
            if answer != "silence" {
                let _ = socket.write_all(answer.as_bytes()).await;
            } else {
                tokio::time::sleep(std::time::Duration::from_secs(30)).await;
            }
        }
    });
    (port, heard)
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

#[tokio::test]
async fn a_name_that_changes_its_answer_after_the_check_gains_nothing() {
    let (port, heard) = server(vec![http("200 OK", "", "hello")]).await;
    // The check sees an allowed address; every later look-up would lead elsewhere.
    let client = client(&["rebind.example"], vec![vec!["127.0.0.1"], vec!["169.254.169.254"]]);
    let url = Url::parse(&format!("http://rebind.example:{port}/hook")).unwrap();
    let answer = client.call(Call::post_json(url, b"{}".to_vec())).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"hello"[..]));
    assert!(heard.lock().unwrap()[0].starts_with("POST /hook HTTP/1.1"), "it went to the checked address");
}

#[tokio::test]
async fn redirects_are_not_followed_and_long_or_slow_answers_are_not_read() {
    let long = "x".repeat(MAX_ANSWER + 1);
    let redirect = http("302 Found", "location: http://169.254.169.254/\r\n", "");
    let (port, heard) = server(vec![redirect, http("200 OK", "", &long), "silence".into()]).await;
    let client = client(&["127.0.0.1"], vec![vec![]]);
    let url = Url::parse(&format!("http://127.0.0.1:{port}/secret-path?token=canary")).unwrap();
    let call = || Call::post_json(url.clone(), Vec::new());
    assert_eq!(client.call(call()).await.map(|a| a.status).ok(), Some(302));
    let errors = [client.call(call()).await.err().unwrap(), client.call(call()).await.err().unwrap()];
    assert_eq!(errors, [OutgoingError::TooLong, OutgoingError::Timeout]);
    assert_eq!(heard.lock().unwrap().len(), 3, "no call beyond ours");
    for error in errors {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary") && !text.contains("secret-path"), "{text}");
    }
}

#[test]
fn a_signature_covers_time_and_body() {
    let header = sign(b"secret", 1_000, b"{\"a\":1}");
    let check =
        |secret: &[u8], header: &str, body: &[u8], now| check_signature(secret, header, body, now, 300);
    assert_eq!(check(b"secret", &header, b"{\"a\":1}", 1_200), Ok(()));
    assert_eq!(check(b"secret", &header, b"{\"a\":2}", 1_200), Err(SignatureError::False));
    assert_eq!(check(b"other", &header, b"{\"a\":1}", 1_200), Err(SignatureError::False));
    assert_eq!(check(b"secret", &header, b"{\"a\":1}", 1_301), Err(SignatureError::Stale));
    let moved = header.replace("t=1000", "t=1200");
    assert_eq!(check(b"secret", &moved, b"{\"a\":1}", 1_200), Err(SignatureError::False));
    assert_eq!(check(b"secret", "v1=00", b"", 0), Err(SignatureError::Malformed));
    assert_eq!(check(b"secret", "t=0", b"", 0), Err(SignatureError::Malformed));
    // The known answer of HMAC-SHA256 over `1000.{}` under `key`, computed by Python's hmac.
    assert_eq!(
        sign(b"key", 1000, b"{}"),
        "t=1000,v1=c32de42341dece79a1511c9e7f74a2734112edcfcf48943c976faf07047065db"
    );
}

#[tokio::test]
async fn a_webhook_is_signed_and_says_its_delivery() {
    let (port, heard) =
        server(vec![http("204 No Content", "", ""), http("500 Oops", "", ""), http("404 Gone", "", "")])
            .await;
    let hook = Webhook {
        name: "siem".into(),
        url: Url::parse(&format!("http://127.0.0.1:{port}/in")).unwrap(),
        secret: Secret::new("s3cret"),
    };
    let client = client(&["127.0.0.1"], vec![vec![]]);
    assert_eq!(hook.post(&client, "d1", 5_000, "{\"x\":1}").await, Ok(()));
    assert_eq!(hook.post(&client, "d2", 5_000, "{}").await, Err(NotCarried { code: "busy", again: true }));
    let refused = Err(NotCarried { code: "refused_by_receiver", again: false });
    assert_eq!(hook.post(&client, "d3", 5_000, "{}").await, refused);
    let first = heard.lock().unwrap()[0].clone();
    let header = |name: &str| {
        first.lines().find_map(|l| l.strip_prefix(&format!("{name}: ")).map(str::to_owned)).unwrap()
    };
    assert_eq!(header("dunlin-delivery"), "d1");
    assert_eq!(check_signature(b"s3cret", &header("dunlin-signature"), b"{\"x\":1}", 5_000, 1), Ok(()));
}

/// Fails as often as it is told, then succeeds.
struct Flaky(AtomicUsize, bool);

#[async_trait::async_trait]
impl Carrier for Flaky {
    async fn carry(&self, _: &str, _: &Message) -> Result<(), NotCarried> {
        let left = self.0.load(Ordering::SeqCst);
        if left == 0 {
            return Ok(());
        }
        self.0.store(left - 1, Ordering::SeqCst);
        Err(NotCarried { code: "no_connection", again: self.1 })
    }
}

async fn with_message(text: &str) -> (Scene, Outbox) {
    let scene = Scene::new().await;
    let outbox = Outbox::new(scene.workspace.state().clone(), scene.workspace.keyring());
    let message = Message::Mail { to: "ana@example.com".into(), subject: "s".into(), text: text.into() };
    let mut tx = scene.workspace.state().begin().await.unwrap();
    outbox.put(&mut tx, &message, None, now_us()).await.unwrap();
    tx.commit().await.unwrap();
    (scene, outbox)
}

#[tokio::test]
async fn a_message_is_tried_with_growing_pauses_until_it_arrives() {
    let (_scene, outbox) = with_message("hello").await;
    let carrier = Flaky(AtomicUsize::new(3), true);
    let mut now = now_us();
    for pause in &PAUSES_S[..3] {
        assert_eq!(outbox.deliver_due(now, &carrier).await.unwrap().postponed, 1);
        let early = outbox.deliver_due(now + (pause - 1) * 1_000_000, &carrier).await.unwrap();
        assert_eq!(early, Default::default(), "not before its time");
        now += pause * 1_000_000;
    }
    assert_eq!(outbox.deliver_due(now, &carrier).await.unwrap().sent, 1);
    let list = outbox.list(10).await.unwrap();
    assert_eq!((list[0].status.as_str(), list[0].attempts), ("sent", 4));
}

#[tokio::test]
async fn a_message_that_never_arrives_is_given_up_and_its_text_forgotten() {
    let (scene, outbox) = with_message("https://dunlin.example/recover/canary-token").await;
    let sealed = |row: sqlx::sqlite::SqliteRow| sqlx::Row::try_get::<Option<Vec<u8>>, _>(&row, 0).unwrap();
    let stored = || async {
        sealed(
            sqlx::query("select sealed from outbox").fetch_one(scene.workspace.state().pool()).await.unwrap(),
        )
    };
    let bytes = stored().await.unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("canary-token"), "a link is not kept in the clear");
    let carrier = Flaky(AtomicUsize::new(usize::MAX), true);
    let mut now = now_us();
    let mut tries = 0;
    while outbox.list(1).await.unwrap()[0].status == "waiting" {
        outbox.deliver_due(now, &carrier).await.unwrap();
        now += 60 * 60 * 24 * 1_000_000;
        tries += 1;
        assert!(tries < 20);
    }
    assert_eq!(tries, PAUSES_S.len() + 1);
    assert_eq!(outbox.list(1).await.unwrap()[0].last_error.as_deref(), Some("no_connection"));
    assert_eq!(stored().await, None);
}

#[tokio::test]
async fn what_will_never_arrive_is_not_tried_again() {
    let (_scene, outbox) = with_message("hello").await;
    let carrier = Flaky(AtomicUsize::new(usize::MAX), false);
    assert_eq!(outbox.deliver_due(now_us(), &carrier).await.unwrap().failed, 1);
    assert_eq!(outbox.deliver_due(i64::MAX / 2, &carrier).await.unwrap(), Default::default());
}

#[tokio::test]
async fn a_message_moved_to_another_row_does_not_open() {
    let scene = Scene::new().await;
    let keys = scene.workspace.keyring();
    let sealed = seal::seal(&keys, "row1", b"secret").unwrap();
    assert_eq!(seal::open(&keys, "row1", &sealed).unwrap(), b"secret");
    assert!(seal::open(&keys, "row2", &sealed).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(seal::open(&keys, "row1", &changed).is_err(), "byte {at}");
    }
    assert!(seal::open(&keys, "row1", &[]).is_err());
}
