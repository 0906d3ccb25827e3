//! Letters on their way: what they are, what a mail server may answer, who may be silent, and what comes back.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dunlin_connect::OpenOptions;
use dunlin_gate::{Ask, MaskedOnly};
use dunlin_store::{Actor, KeyOptions, Workspace};
use dunlin_tell::send::{
    Algorithm, Audience, DkimKeys, Figures, Gathered, Letters, MessageKey, Outbox, Pace, Queue, Ramp,
    Reading, Recipients, Returned, Returns, SendError, Sender, Sent, SmtpServer, SmtpSettings, SmtpTls,
    Stopped, Transport, best_locale, gather, post, read_returned, stream_of, take_back, unsubscribe,
};
use dunlin_tell::{Lang, Message, Notice, Stream, When};
use dunlin_testkit::{MailSink, SinkBehaviour, SunkLetter};
use tokio::sync::watch;

use crate::finished;

/// A workspace with people to write to.
struct Scene {
    dir: tempfile::TempDir,
    workspace: Arc<Workspace>,
    queue: Queue,
    store: Arc<dyn dunlin_connect::Store>,
    dkim: Option<DkimKeys>,
}

const BASE: &str = "https://data.atlas.example";

fn notice(stream: Stream) -> Notice {
    let mut notice = finished(Lang::En);
    notice.stream = stream;
    notice.messages = vec![Message {
        when: When::Before,
        days: 30,
        subject:
            "We are moving your data: naïve café, and a subject that is longer than a line of mail may be"
                .into(),
        text: Some(format!("Hello,\n\n{}", "a long line of words without any end ".repeat(60))),
    }];
    notice
}

impl Scene {
    async fn new(people: &[&str]) -> Scene {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("work")).unwrap();
        let keys = KeyOptions::at(&dir.path().join("keys"));
        let workspace = Arc::new(Workspace::open(&dir.path().join("work"), &keys).await.unwrap());
        let queue = Queue::new(workspace.state().clone(), Recipients::new(workspace.keys()).unwrap());
        let options = OpenOptions { base: dir.path().to_owned(), ..OpenOptions::default() };
        let file = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(dir.path().join("atlas.db"))
            .create_if_missing(true);
        let mut connection = sqlx::ConnectOptions::connect(&file).await.unwrap();
        sqlx::raw_sql("create table people (email text, name text)").execute(&mut connection).await.unwrap();
        for person in people {
            let name = person.split('@').next().unwrap_or_default();
            sqlx::query("insert into people values ($1, $2)")
                .bind(person)
                .bind(if name == "eve" { "Éve \"<x>\"\r\nBcc: all@canary.example" } else { name })
                .execute(&mut connection)
                .await
                .unwrap();
        }
        let store = dunlin_connect::open("atlas", "sqlite:atlas.db", &options).await.unwrap();
        Scene { dir, workspace, queue, store, dkim: None }
    }

    fn key(&self, notice: &Notice, transport: &'static str) -> MessageKey {
        MessageKey {
            notice: notice.id.clone(),
            version: notice.version,
            message: "before:30".into(),
            stream: notice.stream,
            transport,
        }
    }

    async fn gathered(&self, notice: &Notice, transport: &'static str) -> Gathered {
        let key = self.key(notice, transport);
        let audience = Audience::parse(Some("select p.email, name from atlas.people p")).unwrap();
        let reading = Reading {
            audience: &audience,
            store: &*self.store,
            policy: &MaskedOnly,
            log: self.workspace.clone(),
            ask: &Ask::clear(Actor::local(), "notice", "a test"),
            locale: &|wanted| best_locale(&["en"], wanted).unwrap().to_owned(),
        };
        let (id, found) = gather(&reading, &self.queue, &key).await.unwrap();
        self.queue.release(&id).await.unwrap();
        found
    }

    async fn post(
        &self,
        notice: &Notice,
        transport: Arc<dyn Transport>,
        pace: &Pace,
    ) -> Result<Sent, SendError> {
        let sender = Sender {
            from: "Atlas Ñandú <notices@atlas.example>".into(),
            reply_to: Some("privacy@atlas.example".into()),
            company: "Atlas Ltd".into(),
            base_url: BASE.into(),
        };
        let recipients = self.queue.recipients().clone();
        let letters = Letters::new(&[notice], "before:30", &sender, recipients, self.dkim.clone()).unwrap();
        let row = self.queue.find(&self.key(notice, transport.name())).await.unwrap().unwrap();
        let (_stopper, stop) = watch::channel(false);
        let folder = self.dir.path().join("journals");
        let actor = Actor::local();
        post(&self.queue, &row, Arc::new(letters), transport, pace, &folder, &actor, stop, &|_| {}).await
    }

    async fn figures(&self, notice: &Notice) -> Figures {
        let row = self.queue.find(&self.key(notice, "smtp")).await.unwrap().unwrap();
        self.queue.figures(&row).await.unwrap()
    }

    async fn come_back(&self, report: &str) -> Returns {
        let mut total = Returns::default();
        let returned = read_returned(report.replace('\n', "\r\n").as_bytes());
        take_back(&self.queue, &returned, &Actor::System, &mut total).await.unwrap();
        total
    }
}

fn server(port: u16) -> Arc<dyn Transport> {
    let settings = SmtpSettings {
        host: "127.0.0.1".into(),
        port,
        tls: SmtpTls::None,
        login: None,
        hello: "atlas.example".into(),
        authorities: None,
    };
    Arc::new(SmtpServer::new(settings).unwrap())
}

fn quick() -> Pace {
    Pace { pauses_s: vec![0, 0, 0], patience: Duration::from_millis(300), ..Pace::default() }
}

fn header(letter: &SunkLetter, name: &str) -> Option<String> {
    let text = String::from_utf8(letter.data.clone()).unwrap();
    let head = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_what_mail_programs_expect_and_nothing_gets_into_its_headers() {
    let scene = Scene::new(&["ana@canary.example", "eve@canary.example"]).await;
    let notice = notice(Stream::Required);
    let sink = MailSink::start(SinkBehaviour::default());
    scene.gathered(&notice, "smtp").await;
    let sent = scene.post(&notice, server(sink.port()), &quick()).await.unwrap();
    assert_eq!((sent.taken, sent.waiting), (2, 0));
    for letter in sink.letters() {
        let of = |name: &str| header(&letter, name);
        assert_eq!(of("Auto-Submitted").as_deref(), Some("auto-generated"));
        assert_eq!(of("Precedence").as_deref(), Some("bulk"));
        assert_eq!(of("Reply-To").as_deref(), Some("privacy@atlas.example"));
        assert!(of("From").unwrap().contains("<notices@atlas.example>") && of("From").unwrap().is_ascii());
        assert!(of("Subject").unwrap().contains("=?utf-8?"), "{:?}", of("Subject"));
        assert!(of("Message-ID").unwrap().ends_with("@atlas.example>") && of("Date").is_some());
        assert_eq!([of("List-Unsubscribe"), of("Bcc"), of("Cc")], [None, None, None]);
        assert!(of("Content-Type").unwrap().starts_with("multipart/alternative"));
        assert_eq!(letter.from, "notices@atlas.example");
        let text = String::from_utf8(letter.data.clone()).unwrap();
        assert!(
            text.lines().all(|line| line.len() <= 998 && line.is_ascii()),
            "lines that every server takes"
        );
        assert!(
            !text.contains("<img") && !text.contains("<script") && !text.contains("url("),
            "nothing is fetched"
        );
        let parsed = mail_parser::MessageParser::default().parse(&letter.data).unwrap();
        assert!(parsed.body_text(0).unwrap().contains("a long line of words"));
        assert!(parsed.body_html(0).unwrap().contains(&format!("{BASE}/tell/{}", notice.id)));
        let to = parsed.to().unwrap().first().unwrap();
        assert_eq!(to.address(), Some(letter.to.as_str()));
        if letter.to == "eve@canary.example" {
            assert_eq!(to.name(), Some("Éve \"<x>\" Bcc: all@canary.example"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_ends_the_marketing_stream_and_the_required_one_still_arrives() {
    let scene = Scene::new(&["ana@canary.example", "ben@canary.example"]).await;
    let sink = MailSink::start(SinkBehaviour::default());
    let mut news = notice(Stream::Marketing);
    scene.gathered(&news, "smtp").await;
    scene.post(&news, server(sink.port()), &quick()).await.unwrap();
    let letters = sink.letters();
    let of_ana = letters.iter().find(|l| l.to == "ana@canary.example").unwrap();
    assert_eq!(header(of_ana, "List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
    let link = header(of_ana, "List-Unsubscribe").unwrap();
    let link = link.strip_prefix('<').and_then(|l| l.strip_suffix('>')).unwrap();
    let token = link.strip_prefix(&format!("{BASE}/tell/unsubscribe/")).unwrap();
    let body =
        mail_parser::MessageParser::default().parse(&of_ana.data).unwrap().body_text(0).unwrap().into_owned();
    assert!(body.contains(token), "the same link stands in the letter");
    let of_ben = letters.iter().find(|l| l.to == "ben@canary.example").unwrap();
    assert!(!header(of_ben, "List-Unsubscribe").unwrap().contains(token), "each has their own");

    assert_eq!(stream_of(&scene.queue, token), Some(Stream::Marketing), "a GET asks, and changes nothing");
    assert_eq!(unsubscribe(&scene.queue, "no-token").await.unwrap(), Stopped::NoToken);
    assert_eq!(unsubscribe(&scene.queue, token).await.unwrap(), Stopped::Now);
    assert_eq!(unsubscribe(&scene.queue, token).await.unwrap(), Stopped::Before);

    news.version = 2;
    assert_eq!(scene.gathered(&news, "smtp").await.suppressed, 1);
    let sent = scene.post(&news, server(sink.port()), &quick()).await.unwrap();
    assert_eq!(sent.taken, 1);
    let figures = scene.figures(&news).await;
    assert_eq!((figures.recipients(), figures.sent, figures.suppressed), (2, 1, 1));
    let mut law = notice(Stream::Required);
    law.version = 3;
    scene.gathered(&law, "smtp").await;
    assert_eq!(scene.post(&law, server(sink.port()), &quick()).await.unwrap().taken, 2);
    assert_eq!(sink.times()["ana@canary.example"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_unsubscribes_between_the_count_and_the_letter_gets_none() {
    let scene = Scene::new(&["ana@canary.example", "ben@canary.example"]).await;
    let news = notice(Stream::Marketing);
    scene.gathered(&news, "smtp").await;
    let ana = scene.queue.recipients().recipient(&"ana@canary.example".parse().unwrap());
    let token = scene.queue.recipients().token(ana, Stream::Marketing);
    unsubscribe(&scene.queue, &token).await.unwrap();
    let sink = MailSink::start(SinkBehaviour::default());
    scene.post(&news, server(sink.port()), &quick()).await.unwrap();
    assert_eq!(sink.times().into_iter().collect::<Vec<_>>(), [("ben@canary.example".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_off_is_tried_again_and_what_is_refused_is_not() {
    let people: Vec<String> = (0..40).map(|n| format!("p{n}@canary.example")).collect();
    let mut people: Vec<&str> = people.iter().map(String::as_str).collect();
    people.extend([
        "full@canary.example",
        "gone@canary.example",
        "bad@canary.example",
        "never@canary.example",
    ]);
    let scene = Scene::new(&people).await;
    let sink = MailSink::start(SinkBehaviour {
        rcpt: Arc::new(|to, before| match to.split('@').next() {
            Some("full") if before < 2 => Some("452 4.2.2 full@canary.example is full"),
            Some("gone") => Some("550 5.1.1 no such user"),
            Some("never") => Some("451 4.7.1 try later"),
            _ => None,
        }),
        dot: Arc::new(|to, _| to.starts_with("bad").then_some("554 5.7.1 no")),
        ..SinkBehaviour::default()
    });
    let notice = notice(Stream::Required);
    scene.gathered(&notice, "smtp").await;
    let sent = scene.post(&notice, server(sink.port()), &quick()).await.unwrap();
    assert_eq!((sent.taken, sent.refused, sent.later), (41, 2, 6), "{sent:?}");
    let figures = scene.figures(&notice).await;
    assert_eq!(
        (figures.sent, figures.failed, figures.due, figures.recipients()),
        (41, 3, 0, 44),
        "{figures:?}"
    );
    assert!(sink.times().values().all(|times| *times == 1), "{:?}", sink.times());
    assert_eq!(sink.times()["full@canary.example"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_costs_nobody_a_try_and_one_that_refuses_all_is_not_asked_for_long() {
    let people: Vec<String> = (0..300).map(|n| format!("p{n}@canary.example")).collect();
    let scene = Scene::new(&people.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let notice = notice(Stream::Required);
    scene.gathered(&notice, "smtp").await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = scene.post(&notice, server(nobody), &quick()).await.unwrap_err();
    assert!(matches!(&error, SendError::Server { .. }), "{error}");
    assert_eq!(error.exit_code(), 3);
    assert_eq!(scene.figures(&notice).await.due, 300);

    let refusing =
        MailSink::start(SinkBehaviour { dot: Arc::new(|_, _| Some("554 spam")), ..SinkBehaviour::default() });
    let error = scene.post(&notice, server(refusing.port()), &quick()).await.unwrap_err();
    assert!(matches!(&error, SendError::AllRefused { count: 50, .. }), "{error}");
    let figures = scene.figures(&notice).await;
    assert!(figures.failed >= 50 && figures.due > 0, "the rest is kept: {figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_leave_no_faster_than_the_ramp_allows() {
    let people: Vec<String> = (0..25).map(|n| format!("p{n}@canary.example")).collect();
    let scene = Scene::new(&people.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let notice = notice(Stream::Required);
    scene.gathered(&notice, "smtp").await;
    let sink = MailSink::start(SinkBehaviour::default());
    let ramp = Ramp { per_minute: Some(600), ceiling: u64::MAX };
    let begun = Instant::now();
    scene.post(&notice, server(sink.port()), &Pace { ramp, ..quick() }).await.unwrap();
    assert_eq!(sink.count(), 25);
    assert!(
        begun.elapsed() > Duration::from_millis(1_300),
        "ten a second, ten at once: {:?}",
        begun.elapsed()
    );
}

/// A door with TLS in front of a mail server. Gives its port and certificate.
async fn door(behind: u16) -> (u16, String) {
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
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outer) = acceptor.accept(socket).await else { return };
                let mut inner = tokio::net::TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    (port, made.cert.pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_is_believed_by_its_certificate_alone() {
    let scene = Scene::new(&["ana@canary.example"]).await;
    let notice = notice(Stream::Required);
    scene.gathered(&notice, "smtp").await;
    let sink = MailSink::start(SinkBehaviour::default());
    let (port, certificate) = door(sink.port()).await;
    let server = |tls, authorities| {
        let (host, hello) = ("localhost".to_owned(), "atlas.example".to_owned());
        Arc::new(SmtpServer::new(SmtpSettings { host, port, tls, login: None, hello, authorities }).unwrap())
    };
    let error = scene.post(&notice, server(SmtpTls::Implicit, None), &quick()).await.unwrap_err();
    assert!(matches!(&error, SendError::Server { code } if code == "tls"), "{error}");
    assert_eq!(sink.count(), 0);
    let sent = scene.post(&notice, server(SmtpTls::Implicit, Some(certificate)), &quick()).await.unwrap();
    assert_eq!((sent.taken, sink.count()), (1, 1));
    let far = SmtpSettings {
        host: "mail.atlas.example".into(),
        port: 25,
        tls: SmtpTls::None,
        login: None,
        hello: "atlas.example".into(),
        authorities: None,
    };
    assert!(SmtpServer::new(far).is_err(), "in clear only to this machine");
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_hold_by_the_records_that_are_to_be_published() {
    let mut scene = Scene::new(&["ana@canary.example"]).await;
    let folder = scene.workspace.keys().folder().to_owned();
    assert!(DkimKeys::read(&folder).unwrap().is_none());
    assert!(DkimKeys::make(&folder, "not a selector").is_err());
    let keys = DkimKeys::make(&folder, "dunlin2026").unwrap();
    scene.dkim = Some(keys.clone());
    let notice = notice(Stream::Marketing);
    scene.gathered(&notice, "smtp").await;
    let sink = MailSink::start(SinkBehaviour::default());
    scene.post(&notice, server(sink.port()), &quick()).await.unwrap();
    let letter = sink.letters().pop().unwrap();
    let text = String::from_utf8(letter.data.clone()).unwrap();
    assert_eq!(text.matches("DKIM-Signature:").count(), 2);
    for part in ["a=rsa-sha256", "a=ed25519-sha256", "d=atlas.example", "list-unsubscribe-post"] {
        assert!(text.replace("\r\n ", "").contains(part), "{part}: {text}");
    }
    let records: Vec<(String, String)> = [Algorithm::Rsa, Algorithm::Ed25519]
        .map(|a| (keys.record_name(a, "atlas.example"), keys.record(a).unwrap()))
        .into();
    verify_with_dkimpy(scene.dir.path(), &letter.data, &records);
}

/// Holds each signature against a verifier that is not ours; says so where there is none.
fn verify_with_dkimpy(dir: &Path, letter: &[u8], records: &[(String, String)]) {
    let program = r#"
import json, sys
try:
    import dkim
except ImportError:
    sys.exit(77)
folder = sys.argv[1]
letter = open(folder + "/letter.eml", "rb").read()
records = {name + ".": text for name, text in json.load(open(folder + "/records.json"))}
def dns(name, timeout=5):
    return records.get(name.decode() if isinstance(name, bytes) else name, "").encode()
def holds(letter, index):
    try:
        return dkim.DKIM(letter).verify(idx=index, dnsfunc=dns)
    except dkim.ValidationError:
        return False
for index in range(2):
    try:
        assert holds(letter, index), index
    except dkim.NaClNotFoundError:
        print("skipped: dkimpy has no pynacl for the second signature", file=sys.stderr)
    if index == 0:
        changed = letter.replace(b"List-Unsubscribe-Post: ", b"List-Unsubscribe-Post: x")
        assert changed != letter and not holds(changed, 0)
        changed = letter.replace(b"\r\n\r\n", b"\r\n\r\nx", 1)
        assert not holds(changed, 0)
        changed = b"Cc: eve@example.com\r\n" + letter
        assert not holds(changed, 0), "a header cannot be added"
"#;
    std::fs::write(dir.join("letter.eml"), letter).unwrap();
    std::fs::write(dir.join("records.json"), serde_json::to_vec(records).unwrap()).unwrap();
    let done = std::process::Command::new("python3").arg("-c").arg(program).arg(dir).output();
    match done {
        Ok(done) if done.status.code() == Some(77) => eprintln!("skipped: Python's dkimpy is not installed"),
        Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr)),
        Err(_) => eprintln!("skipped: there is no python3"),
    }
}

fn report(kind: &str, fields: &str, returned: &str) -> String {
    let (report, part) = match kind {
        "arf" => ("feedback-report", "message/feedback-report"),
        _ => ("delivery-status", "message/delivery-status"),
    };
    format!(
        "From: MAILER-DAEMON@mx.example\nTo: notices@atlas.example\nSubject: report\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type={report};\n boundary=\"b1\"\n\n\
         --b1\nContent-Type: text/plain\n\nA report for ana@canary.example.\n\
         --b1\nContent-Type: {part}\n\n{fields}\n--b1\n{returned}\n--b1--\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_marks_the_delivery_and_silences_what_it_must() {
    let scene = Scene::new(&["ana@canary.example", "ben@canary.example", "cat@canary.example"]).await;
    let news = notice(Stream::Marketing);
    scene.gathered(&news, "smtp").await;
    let sink = MailSink::start(SinkBehaviour::default());
    scene.post(&news, server(sink.port()), &quick()).await.unwrap();
    let id_of = |who: &str| {
        let letters = sink.letters();
        header(letters.iter().find(|l| l.to.starts_with(who)).unwrap(), "Message-ID").unwrap()
    };
    let headers = |id: &str| format!("Content-Type: text/rfc822-headers\n\nMessage-ID: {id}\nSubject: x\n");
    let whole = |id: &str| {
        format!(
            "Content-Type: message/rfc822\n\nFrom: notices@atlas.example\nMessage-ID: {id}\nSubject: x\n\nHello.\n"
        )
    };
    let dsn = |action: &str, status: &str| {
        format!(
            "Reporting-MTA: dns; mx.example\nArrival-Date: Sun, 22 Nov 2026 10:00:00 +0000\n\n\
             Final-Recipient: rfc822; ana@canary.example\nAction: {action}\nStatus: {status}\n\
             Diagnostic-Code: smtp; 550 5.1.1\n <ana@canary.example> unknown\n"
        )
    };
    // A delay changes nothing; a forged report neither: its Message-ID is none of ours.
    let delayed = scene.come_back(&report("dsn", &dsn("delayed", "4.4.1"), &headers(&id_of("ana")))).await;
    assert_eq!((delayed.unchanged, delayed.bounced), (1, 0));
    let forged = format!("<{}@atlas.example>", "0".repeat(40));
    let unknown = scene.come_back(&report("dsn", &dsn("failed", "5.1.1"), &headers(&forged))).await;
    assert_eq!((unknown.unknown, unknown.bounced), (1, 0));
    assert_eq!(scene.come_back("Subject: hello\n\nNo report at all.\n").await.unknown, 1);

    let hard = report("dsn", &dsn("failed", "5.1.1"), &headers(&id_of("ana")));
    let bounced = scene.come_back(&hard).await;
    assert_eq!((bounced.bounced, bounced.suppressed), (1, 1));
    assert_eq!(scene.come_back(&hard).await.unchanged, 1, "told twice, counted once");
    let full = scene.come_back(&report("dsn", &dsn("failed", "5.2.2"), &whole(&id_of("ben")))).await;
    assert_eq!((full.bounced, full.suppressed), (1, 0), "a full mailbox is no reason to be silent for ever");
    let abuse = "Feedback-Type: abuse\nUser-Agent: SomeISP/1.0\nVersion: 1\n";
    let complained = scene.come_back(&report("arf", abuse, &whole(&id_of("cat")))).await;
    assert_eq!((complained.complained, complained.suppressed), (1, 1));
    let figures = scene.figures(&news).await;
    assert_eq!((figures.bounced, figures.complained, figures.sent), (2, 1, 0));

    let mut law = notice(Stream::Required);
    law.version = 2;
    assert_eq!(scene.gathered(&law, "smtp").await.suppressed, 1, "there is nobody at ana's address");
    scene.post(&law, server(sink.port()), &quick()).await.unwrap();
    let times = sink.times();
    assert_eq!(
        [times["ana@canary.example"], times["ben@canary.example"], times["cat@canary.example"]],
        [1, 2, 2]
    );
    let mut more = notice(Stream::Marketing);
    more.version = 3;
    assert_eq!(scene.gathered(&more, "smtp").await.suppressed, 2, "who complained gets no news");
}

#[test]
fn no_bytes_make_the_reader_of_reports_panic() {
    let mut seed = 7u64;
    for _ in 0..2_000 {
        let mut bytes = Vec::new();
        for _ in 0..(seed % 200) {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes.push(b"Content-Type: multipart/report;\r\n\n-=<>@a\xff\x00"[(seed >> 33) as usize % 42]);
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        assert!(matches!(read_returned(&bytes), Returned::Unknown | Returned::Nothing));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_has_each_letter_once_however_often_it_is_written() {
    let scene = Scene::new(&["ana@canary.example", "ben@canary.example"]).await;
    let notice = notice(Stream::Required);
    scene.gathered(&notice, "outbox").await;
    let folder = scene.dir.path().join("out");
    let outbox = || Arc::new(Outbox::new(&folder).unwrap());
    assert_eq!(scene.post(&notice, outbox(), &quick()).await.unwrap().taken, 2);
    assert_eq!(scene.post(&notice, outbox(), &quick()).await.unwrap(), Sent::default(), "it is done");
    let files = std::fs::read_dir(&folder)
        .unwrap()
        .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "eml"));
    assert_eq!(files.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_is_read_from_postgresql_and_can_change_nothing_there() {
    let Some(server) = dunlin_testkit::postgres().await else { return };
    let url = server.database("audience").await;
    let client = dunlin_testkit::connect(&url).await;
    client
        .batch_execute(
            "create schema crm; create table crm.\"People\" (\"E-mail\" text, lang varchar(5), ok bool);
             insert into crm.\"People\" values ('ana@canary.example', 'es', true), ('ANA@canary.example', 'en', true),
             ('ben@canary.example', 'en', false), (null, 'en', true);",
        )
        .await
        .unwrap();
    let mut scene = Scene::new(&[]).await;
    scene.store = dunlin_connect::open("atlas", &url, &OpenOptions::default()).await.unwrap();
    let audience = Audience::parse(Some(
        "with good as (select * from atlas.crm.\"People\" where ok) \
         select lower(good.\"E-mail\") as email, lang as locale from good",
    ));
    // `*` inside is no column of the audience.
    let audience = audience.unwrap();
    let reading = Reading {
        audience: &audience,
        store: &*scene.store,
        policy: &MaskedOnly,
        log: scene.workspace.clone(),
        ask: &Ask::clear(Actor::local(), "notice", "a test"),
        locale: &|wanted| best_locale(&["en", "es"], wanted).unwrap().to_owned(),
    };
    let found = dunlin_tell::send::count(&reading, &scene.queue, Stream::Required).await.unwrap();
    assert_eq!(
        (found.rows, found.recipients, found.duplicates, found.invalid_rows()),
        (3, 1, 1, 1),
        "{found:?}"
    );
    let stolen = scene.store.select("insert into crm.\"People\" values ('x') returning 'x'".into(), 1).await;
    let failed = match stolen {
        Err(_) => true,
        Ok(mut rows) => futures::StreamExt::next(&mut rows).await.is_some_and(|batch| batch.is_err()),
    };
    assert!(failed, "the transaction only reads");
    let entries = scene.workspace.integrate().await.unwrap();
    assert!(entries.size > 3, "the access stands in the ledger");
}
