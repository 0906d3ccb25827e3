//! What comes back: reports of delivery (DSN, RFC 3464) and complaints (ARF, RFC 5965).
//!
//! A report counts when it names a letter of ours by its Message-ID, which nobody knows who has not had the letter: so
//! nobody can silence another's address by a forged report. Not here: how the reports get here (a mailbox folder, or the
//! mail server's pipe).

use dunlin_store::{Actor, now_us};
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use sqlx::Row;

use super::address::Recipient;
use super::error::{SendError, db};
use super::queue::{Queue, enter_settled};
use super::stop::suppress;
use crate::vocabulary::Stream;

/// What a report says of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returned {
    /// It came back; `mailbox` when the address itself is at fault, so that writing again is no use.
    Bounced {
        /// What stands before the @ of the letter's Message-ID.
        letter: String,
        /// RFC 3463, e.g. `5.1.1`.
        status: String,
        /// Whether the address is at fault.
        mailbox: bool,
    },
    /// It arrived.
    Received {
        /// The letter.
        letter: String,
    },
    /// Its receiver complained.
    Complained {
        /// The letter.
        letter: String,
    },
    /// A report of a delay, or of something else that changes nothing.
    Nothing,
    /// No report, or one of no letter of ours.
    Unknown,
}

/// What was made of reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Returns {
    /// Messages that were read.
    pub read: u64,
    /// Deliveries that came back.
    pub bounced: u64,
    /// Deliveries that were complained of.
    pub complained: u64,
    /// Uncertain deliveries that are known to have arrived.
    pub received: u64,
    /// Addresses that a stream no longer reaches because of it.
    pub suppressed: u64,
    /// Reports that were known already, or change nothing.
    pub unchanged: u64,
    /// Messages that are no report of a letter of ours.
    pub unknown: u64,
}

/// Reads one message.
pub fn read_returned(bytes: &[u8]) -> Returned {
    let Some(message) = MessageParser::default().parse(bytes) else { return Returned::Unknown };
    let is = |part: &mail_parser::MessagePart<'_>, main: &str, sub: &str| {
        part.content_type().is_some_and(|of| {
            of.ctype().eq_ignore_ascii_case(main) && of.subtype().is_some_and(|s| s.eq_ignore_ascii_case(sub))
        })
    };
    let Some(letter) = letter_of(&message) else { return Returned::Unknown };
    let text = |main: &str, sub: &str| {
        let part = message.parts.iter().find(|part| is(part, main, sub))?;
        Some(String::from_utf8_lossy(part.contents()).into_owned())
    };
    if let Some(report) = text("message", "feedback-report") {
        let kind = field(&report, "feedback-type").unwrap_or_default();
        // `not-spam` takes a complaint back, and `auth-failure` is about servers.
        return match kind.to_ascii_lowercase().as_str() {
            "abuse" | "fraud" | "virus" | "other" | "opt-out" => Returned::Complained { letter },
            _ => Returned::Nothing,
        };
    }
    let Some(report) =
        text("message", "delivery-status").or_else(|| text("message", "global-delivery-status"))
    else {
        return Returned::Unknown;
    };
    let action = field(&report, "action").unwrap_or_default().to_ascii_lowercase();
    let status = field(&report, "status").unwrap_or_default();
    let status: String = status.chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(12).collect();
    match action.as_str() {
        "failed" => Returned::Bounced { letter, mailbox: is_mailbox(&status), status },
        "delivered" | "relayed" | "expanded" => Returned::Received { letter },
        _ => Returned::Nothing,
    }
}

/// Statuses that say that there is nobody at this address: RFC 3463, X.1.x, a disabled mailbox, a domain that is not there.
fn is_mailbox(status: &str) -> bool {
    let address = ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4", "5.4.310"];
    address.contains(&status)
}

/// A field of a report, whatever its case; its lines may be folded.
fn field(report: &str, name: &str) -> Option<String> {
    let mut lines = report.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((key, value)) = line.split_once(':') else { continue };
        if !key.trim().eq_ignore_ascii_case(name) {
            continue;
        }
        let mut value = value.trim().to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
            value.push(' ');
            value.push_str(more.trim());
        }
        return Some(value);
    }
    None
}

/// The letter that a report returns, whole or its headers alone.
fn letter_of(report: &Message<'_>) -> Option<String> {
    for part in &report.parts {
        let id = match &part.body {
            PartType::Message(returned) => returned.message_id().map(str::to_owned),
            PartType::Text(_) | PartType::Binary(_) => {
                let headers = part.content_type().is_some_and(|of| {
                    of.subtype().is_some_and(|s| {
                        s.eq_ignore_ascii_case("rfc822-headers") || s.eq_ignore_ascii_case("rfc822")
                    })
                });
                let text = headers.then(|| String::from_utf8_lossy(part.contents()).into_owned());
                text.and_then(|text| field(&text, "message-id"))
            }
            _ => None,
        };
        let Some(id) = id else { continue };
        let id = id.trim().trim_matches(['<', '>']).split('@').next().unwrap_or_default().to_owned();
        if id.len() == 40 && id.chars().all(|c| c.is_ascii_hexdigit()) {
            return Some(id);
        }
    }
    None
}

/// Notes what a report says: marks the delivery, and silences streams for an address that is at fault (all of them) or
/// whose owner complained (marketing alone: the law's notices still reach them).
///
/// # Errors
/// The state.
pub async fn take_back(
    queue: &Queue,
    returned: &Returned,
    actor: &Actor,
    total: &mut Returns,
) -> Result<(), SendError> {
    total.read += 1;
    let (letter, state, code, from) = match returned {
        Returned::Bounced { letter, status, .. } => (letter, "bounced", Some(status), "'sent', 'uncertain'"),
        Returned::Complained { letter } => (letter, "complained", None, "'sent', 'uncertain'"),
        Returned::Received { letter } => (letter, "sent", None, "'uncertain'"),
        Returned::Nothing => {
            total.unchanged += 1;
            return Ok(());
        }
        Returned::Unknown => {
            total.unknown += 1;
            return Ok(());
        }
    };
    let failed = db("noting what came back");
    let mut tx = queue.state.begin().await?;
    let known: Option<Vec<u8>> =
        sqlx::query_scalar("select recipient from tell_deliveries where letter = $1 limit 1")
            .bind(letter)
            .fetch_optional(tx.connection())
            .await
            .map_err(&failed)?;
    let Some(recipient) = known.as_deref().and_then(Recipient::of_bytes) else {
        total.unknown += 1;
        return Ok(());
    };
    let sql = format!(
        "update tell_deliveries set state = $1, code = coalesce($2, code), sealed = null, ended_at = $3 \
         where letter = $4 and state in ({from}) returning recipient"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(state)
        .bind(code)
        .bind(now_us())
        .bind(letter)
        .fetch_all(tx.connection())
        .await
        .map_err(&failed)?;
    let marked = rows.iter().any(|row| row.try_get::<Vec<u8>, _>(0).is_ok());
    let mut silenced = false;
    match returned {
        Returned::Bounced { mailbox: true, .. } => {
            for stream in [Stream::Required, Stream::Marketing] {
                silenced |= suppress(&mut tx, recipient, stream, "bounced").await?;
            }
        }
        Returned::Complained { .. } => {
            silenced = suppress(&mut tx, recipient, Stream::Marketing, "complained").await?;
        }
        _ => {}
    }
    if !marked && !silenced {
        total.unchanged += 1;
        return Ok(());
    }
    let change = if state == "sent" { "received" } else { state };
    enter_settled(&mut tx, actor, change, vec![recipient]).await?;
    tx.commit().await?;
    total.suppressed += u64::from(silenced);
    match state {
        "bounced" => total.bounced += u64::from(marked),
        "complained" => total.complained += u64::from(marked),
        _ => total.received += u64::from(marked),
    }
    Ok(())
}
