//! How many letters a second leave: an audience in SQLite, read through the gate into a state on disk, signed twice, and
//! handed to a mail server on this machine that takes everything. `bench/mail.sh [LETTERS] [COURIERS]`.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use dunlin_connect::OpenOptions;
use dunlin_gate::{Ask, MaskedOnly};
use dunlin_store::{Actor, KeyOptions, Workspace};
use dunlin_tell::send::{
    Audience, DkimKeys, Letters, MessageKey, Pace, Queue, Reading, Recipients, Sender, SmtpServer,
    SmtpSettings, SmtpTls, gather, post,
};
use dunlin_tell::{FirstLayer, Lang, Message, Notice, Stream, When};
use dunlin_testkit::{MailSink, SinkBehaviour};

fn notice() -> Notice {
    Notice {
        id: "bench".into(),
        locale: Lang::En.into(),
        version: 1,
        headline: "We are moving your data to a new home on 5 December 2026".into(),
        stream: Stream::Required,
        audience: None,
        first: FirstLayer {
            changes: "We will keep your data in Ireland instead of Spain.".into(),
            stays: "What we use it for, and who sees it.".into(),
            you_can: "You can see, correct, download or delete your data.".into(),
            by: None,
        },
        slots: std::collections::BTreeMap::new(),
        messages: vec![Message {
            when: When::Before,
            days: 30,
            subject: "We are moving your data: what changes for you".into(),
            text: Some("Hello,\n\nplease read what changes for you. It takes a minute.".into()),
        }],
        claims: None,
        overrides: Vec::new(),
        body: String::new(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let people: u64 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let couriers: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(8);
    let folder =
        std::env::var_os("HOME").map_or_else(std::env::temp_dir, Into::into).join(".cache/dunlin/bench");
    std::fs::create_dir_all(&folder)?;
    let dir = tempfile::tempdir_in(folder)?;
    std::fs::create_dir(dir.path().join("work"))?;
    let keys = KeyOptions::at(&dir.path().join("keys"));
    let workspace = Arc::new(Workspace::open(&dir.path().join("work"), &keys).await?);
    let file =
        sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("a.db")).create_if_missing(true);
    let mut connection = sqlx::ConnectOptions::connect(&file).await?;
    let sql = format!(
        "create table people (email text); with recursive n (i) as (select 1 union all select i + 1 from n where i < \
         {people}) insert into people select 'person' || i || '@example.com' from n"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;

    let notice = notice();
    let queue = Queue::new(workspace.state().clone(), Recipients::new(workspace.keys())?);
    let key = MessageKey {
        notice: notice.id.clone(),
        version: 1,
        message: "before:30".into(),
        stream: notice.stream,
        transport: "smtp",
    };
    let options = OpenOptions { base: dir.path().to_owned(), ..OpenOptions::default() };
    let store = dunlin_connect::open("a", "sqlite:a.db", &options).await?;
    let audience = Audience::parse(Some("select email from a.people"))?;
    let reading = Reading {
        audience: &audience,
        store: &*store,
        policy: &MaskedOnly,
        log: workspace.clone(),
        ask: &Ask::clear(Actor::local(), "notice", "a benchmark"),
        locale: &|_| "en".to_owned(),
    };
    let begun = Instant::now();
    let (id, found) = gather(&reading, &queue, &key).await?;
    queue.release(&id).await?;
    println!("| audience read | {} | {:.0} rows/s |", found.recipients, rate(found.recipients, begun));

    let dkim = DkimKeys::make(workspace.keys().folder(), "bench")?;
    let sender = Sender {
        from: "Atlas <notices@atlas.example>".into(),
        reply_to: None,
        company: "Atlas Ltd".into(),
        base_url: "https://data.atlas.example".into(),
    };
    let letters = Letters::new(&[&notice], "before:30", &sender, queue.recipients().clone(), Some(dkim))?;
    let sink = MailSink::start(SinkBehaviour { keeps: false, ..SinkBehaviour::default() });
    let settings = SmtpSettings {
        host: "127.0.0.1".into(),
        port: sink.port(),
        tls: SmtpTls::None,
        login: None,
        hello: "atlas.example".into(),
        authorities: None,
    };
    let server = Arc::new(SmtpServer::new(settings)?);
    let row = queue.find(&key).await?.ok_or("the message")?;
    let (_stopper, stop) = tokio::sync::watch::channel(false);
    let pace = Pace { couriers, ..Pace::default() };
    let begun = Instant::now();
    let journals = dir.path().join("journals");
    let sent =
        post(&queue, &row, Arc::new(letters), server, &pace, &journals, &Actor::local(), stop, &|_| {})
            .await?;
    println!(
        "| letters sent, two signatures each | {} | {:.0} letters/s |",
        sent.taken,
        rate(sent.taken, begun)
    );
    if sink.count() != people {
        return Err(format!("{} letters arrived of {people}", sink.count()).into());
    }
    Ok(())
}

fn rate(count: u64, begun: Instant) -> f64 {
    count as f64 / begun.elapsed().as_secs_f64()
}
