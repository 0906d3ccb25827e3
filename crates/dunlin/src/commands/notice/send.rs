//! `dunlin notice send`: a message of a notice to everybody it is for, each letter once.

use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use dunlin_server::{ServerConfig, SmtpSecurity};
use dunlin_store::Actor;
use dunlin_tell::Notice;
use dunlin_tell::send::{
    DkimKeys, Letters, MessageKey, MessageRow, MessageState, Outbox, Pace, Ramp, Sender, Sent, SmtpServer,
    SmtpSettings, SmtpTls, Transport, Trouble, gather, post,
};
use tokio::sync::watch;

use super::super::{NOT_RIGHT, OK};
use super::deliveries;
use super::published::may_send;
use super::whom::{self, Desk, Languages, failed};
use crate::cli::{Format, NoticeSendArgs};
use crate::failure::Failure;
use crate::output::{self, thousands};

/// Exit code 3: letters wait for another try.
const LATER: u8 = 3;

/// Sends a message.
pub async fn send(dir: &Path, args: NoticeSendArgs, format: Format) -> Result<u8, Failure> {
    let languages = Languages::read(&args.file)?;
    let message = message_of(languages.first(), &args.message)?;
    let desk = Desk::open(dir).await?;
    let published_in = args.to_outbox.is_none().then(|| desk.workspace.state());
    may_send(dir, &desk.plan, &languages.sources, &args.dates, published_in, format).await?;
    let sender = sender(&desk, args.to_outbox.is_some())?;
    let dkim = DkimKeys::read(desk.workspace.keys().folder()).map_err(|e| failed(e.into()))?;
    if dkim.is_none() && args.to_outbox.is_none() {
        output::note("letters are not signed: `dunlin keys dkim --new SELECTOR` makes keys");
    }
    let recipients = desk.queue.recipients().clone();
    let letters = Letters::new(&languages.notices(), &message, &sender, recipients, dkim);
    let letters = Arc::new(letters.map_err(|e| failed(e.into()))?);
    let transport = transport(&desk.config, &args, &sender, dir)?;
    let key = MessageKey {
        notice: languages.first().id.clone(),
        version: languages.first().version,
        message,
        stream: languages.first().stream,
        transport: transport.name(),
    };
    // Two senders would read one queue.
    let _alone = desk.workspace.lock_send()?;
    let row = match released(&desk, &key, &args).await? {
        Some(row) => row,
        None => begin(&desk, &languages, &key, &args, format).await?,
    };
    let done = run(&desk, &row, letters, transport, &args).await;
    // What was entered is signed also where sending stopped.
    desk.workspace.integrate().await?;
    let sent = done?;
    let row = desk.queue.find(&key).await.map_err(failed)?.unwrap_or(row);
    let figures = desk.queue.figures(&row).await.map_err(failed)?;
    deliveries::print(&row, &figures, format);
    Ok(conclude(&sent, figures.uncertain))
}

/// What is said at the end, and the exit code.
fn conclude(sent: &Sent, uncertain: u64) -> u8 {
    if uncertain > 0 {
        output::note(
            "uncertain: handed over, and the answer never came. They are not sent again by themselves; look into the \
             mail server's log, then `dunlin notice deliveries FILE --message WHEN:DAYS --settle sent|again`",
        );
        return NOT_RIGHT;
    }
    if sent.waiting > 0 {
        output::note("the rest is due later: go on with `--resume`");
        return LATER;
    }
    OK
}

/// The message that is meant: `before:30`, or `before` where there is one.
pub fn message_of(notice: &Notice, word: &str) -> Result<String, Failure> {
    let words: Vec<String> = notice.messages.iter().map(dunlin_tell::Message::word).collect();
    let fits: Vec<&String> =
        words.iter().filter(|w| *w == word || w.split(':').next() == Some(word)).collect();
    match fits.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Failure::usage("the notice has no such message", format!("it has: {}", words.join(", ")))),
        _ => {
            Err(Failure::usage("the notice has several of these", format!("name one: {}", words.join(", "))))
        }
    }
}

/// From whom letters come. What an outbox writes needs no mail server.
fn sender(desk: &Desk, to_outbox: bool) -> Result<Sender, Failure> {
    let company = desk.plan.plan.company.as_ref();
    let name = company.map_or("", |company| company.name.as_str()).to_owned();
    let contact = company.and_then(|company| company.contact.clone());
    let from = match (&desk.config.smtp, &contact) {
        (Some(smtp), _) => smtp.from.clone(),
        (None, Some(contact)) if to_outbox => contact.clone(),
        _ => {
            return Err(Failure::usage(
                "there is no mail server, or nobody from whom letters could come",
                "set [smtp] in server.toml; `--to-outbox DIR` writes the letters as files, from the plan's `contact`",
            ));
        }
    };
    if desk.config.public_url.is_none() && !to_outbox {
        return Err(Failure::usage(
            "letters lead to pages, and nobody has said where these are",
            "set `public_url` in server.toml to the address at which customers reach dunlin",
        ));
    }
    let base_url = desk.config.base_url(desk.config.listen);
    Ok(Sender { from, reply_to: contact, company: name, base_url })
}

fn transport(
    config: &ServerConfig,
    args: &NoticeSendArgs,
    sender: &Sender,
    dir: &Path,
) -> Result<Arc<dyn Transport>, Failure> {
    if let Some(folder) = &args.to_outbox {
        return Ok(Arc::new(Outbox::new(folder).map_err(failed)?));
    }
    let Some(smtp) = &config.smtp else {
        return Err(Failure::usage("there is no mail server", "set [smtp] in server.toml"));
    };
    let (tls, port) = match smtp.security {
        SmtpSecurity::Tls => (SmtpTls::Implicit, 465),
        SmtpSecurity::StartTls => (SmtpTls::StartTls, 587),
        SmtpSecurity::None => (SmtpTls::None, 25),
    };
    let password = smtp.password.as_ref().map(|secret| secret.read(dir)).transpose();
    let password = password.map_err(|e| Failure::usage(e.to_string(), "see [smtp] of server.toml"))?;
    let login = smtp.user.clone().zip(password);
    let authorities = config.authorities.as_ref().map(std::fs::read_to_string).transpose();
    let authorities = authorities
        .map_err(|e| Failure::file(config.authorities.as_deref().unwrap_or_else(|| Path::new("")), &e))?;
    let domain = sender.from.rsplit('@').next().unwrap_or_default().trim_end_matches('>').to_owned();
    let settings = SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port.unwrap_or(port),
        tls,
        login,
        hello: domain,
        authorities,
    };
    Ok(Arc::new(SmtpServer::new(settings).map_err(failed)?))
}

/// The message, when it was begun before; refused when nobody said to go on with it.
async fn released(
    desk: &Desk,
    key: &MessageKey,
    args: &NoticeSendArgs,
) -> Result<Option<MessageRow>, Failure> {
    let row = desk.queue.find(key).await.map_err(failed)?;
    let Some(row) = row.filter(|row| row.state != MessageState::Gathering) else {
        if args.resume {
            return Err(Failure::usage(
                format!("`{}` of {} was never begun", key.message, key.notice),
                "leave `--resume` out to begin it",
            ));
        }
        return Ok(None);
    };
    if !args.resume && row.state == MessageState::Sending {
        return Err(Failure::usage(
            format!("`{}` of {} was begun already", key.message, key.notice),
            "go on with it by `--resume`; its recipients stay as they were",
        ));
    }
    Ok(Some(row))
}

/// Reads the audience, shows it, has it confirmed, and fixes it.
async fn begin(
    desk: &Desk,
    languages: &Languages,
    key: &MessageKey,
    args: &NoticeSendArgs,
    format: Format,
) -> Result<MessageRow, Failure> {
    let (id, found) =
        desk.with_audience(languages, async |reading| gather(reading, &desk.queue, key).await).await?;
    whom::print(&found, format);
    if let Err(refused) = confirmed(found.recipients, args.recipients) {
        desk.queue.forget(&id).await.map_err(failed)?;
        desk.workspace.integrate().await?;
        return Err(refused);
    }
    desk.queue.release(&id).await.map_err(failed)?;
    let row = desk.queue.find(key).await.map_err(failed)?;
    row.ok_or_else(|| Failure::usage("the message vanished from the state", "run it again"))
}

/// Whether somebody has said how many they are.
fn confirmed(recipients: u64, said: Option<u64>) -> Result<(), Failure> {
    let said = match said {
        Some(said) => said,
        None if std::io::stdin().is_terminal() => {
            output::note(&format!("Send to {}? Type the number of recipients:", thousands(recipients)));
            let mut line = String::new();
            let _ = std::io::stdin().lock().read_line(&mut line);
            line.replace([',', '.', ' '], "").trim().parse().unwrap_or(u64::MAX)
        }
        None => {
            return Err(Failure::usage(
                format!("nobody has confirmed that there are {} recipients", thousands(recipients)),
                format!("say `--recipients {recipients}` if that is right; nobody was written to"),
            ));
        }
    };
    if said == recipients {
        return Ok(());
    }
    Err(Failure::usage(
        format!("there are {} recipients, not what was said", thousands(recipients)),
        "look at `dunlin notice audience`; nobody was written to",
    ))
}

async fn run(
    desk: &Desk,
    row: &MessageRow,
    letters: Arc<Letters>,
    transport: Arc<dyn Transport>,
    args: &NoticeSendArgs,
) -> Result<Sent, Failure> {
    let ramp = match args.to_outbox {
        Some(_) => Ramp::NONE,
        None => Ramp { per_minute: Some(args.rate), ceiling: u64::MAX },
    };
    let pace = Pace { ramp, couriers: usize::from(args.connections), wait: !args.no_wait, ..Pace::default() };
    let (stopper, stop) = watch::channel(false);
    let interrupted = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            output::note("stopping: letters under way come to their end first");
            let _ = stopper.send(true);
            // The channel must live: who listens would take its end for a word.
            std::future::pending::<()>().await;
        }
    });
    let folder = desk.workspace.state_dir.join("sending");
    let actor = Actor::local();
    let sent = post(&desk.queue, row, letters, transport, &pace, &folder, &actor, stop, &tell).await;
    interrupted.abort();
    sent.map_err(failed)
}

fn tell(trouble: Trouble) {
    match trouble {
        Trouble::NoServer(code) => {
            output::note(&format!("the mail server takes nothing now ({code}); waiting"))
        }
        Trouble::Progress(sent) => output::note(&format!("{} letters sent", thousands(sent.taken))),
        Trouble::Waiting(at) => {
            output::note(&format!("the next letters are due at {}", super::super::keys::when(at)));
        }
    }
}
