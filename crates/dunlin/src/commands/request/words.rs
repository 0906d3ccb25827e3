//! Requests in words and in JSON, and by when they must be answered.

use std::collections::BTreeMap;

use dunlin_store::{RequestKind, RequestRecord, Workspace};
use dunlin_tell::clock::{self, Asked, Law};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::left;
use crate::cli::{Format, RequestOpenArgs};
use crate::commands::OK;
use crate::failure::Failure;
use crate::output;
use crate::workspace::PlanFile;

/// The days of a request.
pub struct Clock {
    pub law: Option<String>,
    pub received_at: i64,
    pub due_at: Option<i64>,
    pub extended_to: Option<i64>,
    pub why: Vec<String>,
}

/// By when a request must be answered. Consent has no period: it acts at once.
pub fn clock(plan: &PlanFile, kind: RequestKind, args: &RequestOpenArgs) -> Result<Clock, Failure> {
    let zone = plan.plan.window.as_ref().map_or(TimeZone::UTC, |w| w.zone.clone());
    let far = |_| Failure::usage("the day of --received is too far away", "write it as YYYY-MM-DD");
    let received = match args.received {
        Some(day) => day.to_zoned(zone.clone()).map_err(far)?.timestamp(),
        None => Timestamp::now(),
    };
    let received_at = received.as_microsecond();
    let mut out = Clock { law: None, received_at, due_at: None, extended_to: None, why: Vec::new() };
    if args.law == "none" {
        return Ok(out);
    }
    let law: Law = serde_json::from_value(Value::String(args.law.clone())).map_err(|_| {
        Failure::usage(
            format!("no law is called `{}` here", args.law),
            "one of gdpr, uk_gdpr, california, lgpd, virginia, colorado, connecticut, none",
        )
    })?;
    out.law = Some(args.law.clone());
    let Some(kind) = asked(kind) else { return Ok(out) };
    let calendar = args.calendar.as_str();
    let counted =
        clock::deadline(&Asked { law, kind, received, zone: zone.clone(), calendar, runs_from: None });
    let deadline = counted.map_err(|e| Failure::usage(e.to_string(), "name another --law or --calendar"))?;
    let late = |day: jiff::civil::Date| -> Result<i64, Failure> {
        let next = day.tomorrow().map_err(far)?;
        Ok(next.to_zoned(zone.clone()).map_err(far)?.timestamp().as_microsecond())
    };
    out.due_at = Some(deadline.late_from.as_microsecond());
    out.extended_to = deadline.extended_to.map(late).transpose()?;
    out.why = deadline.why;
    Ok(out)
}

/// What the tables of deadlines call it.
fn asked(kind: RequestKind) -> Option<clock::RequestKind> {
    Some(match kind {
        RequestKind::Access => clock::RequestKind::Access,
        RequestKind::Portability => clock::RequestKind::Portability,
        RequestKind::Rectification => clock::RequestKind::Rectification,
        RequestKind::Erasure => clock::RequestKind::Erasure,
        RequestKind::Restriction => clock::RequestKind::Restriction,
        RequestKind::Objection => clock::RequestKind::Objection,
        RequestKind::ConsentWithdrawn | RequestKind::ConsentGiven => return None,
    })
}

fn value(r: &RequestRecord) -> serde_json::Map<String, Value> {
    let pairs = [
        ("request", Value::from(r.id.as_str())),
        ("kind", Value::from(r.kind.as_str())),
        ("state", Value::from(r.state.as_str())),
        ("identity", Value::from(r.identity.as_str())),
        ("law", Value::from(r.law.clone())),
        ("opened_at", Value::from(r.opened_at)),
        ("received_at", Value::from(r.received_at)),
        ("due_at", Value::from(r.due_at)),
        ("extended_to", Value::from(r.extended_to)),
        ("owner", Value::from(r.owner.clone())),
        ("decision", Value::from(r.decision.clone())),
        ("reason_category", Value::from(r.reason_category.clone())),
        ("undo_until", Value::from(r.undo_until)),
        ("purpose", Value::from(r.purpose.as_str())),
        ("ended_at", Value::from(r.ended_at)),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A request as one JSON object.
pub fn json(record: &RequestRecord) {
    output::json(&value(record));
}

/// One request, and where its customer's rows were found.
pub fn show(record: &RequestRecord, found: Option<&BTreeMap<String, u64>>, format: Format) {
    if format == Format::Json {
        let mut object = value(record);
        if let Some(found) = found {
            object.insert("found".to_owned(), serde_json::json!(found));
        }
        output::json(&object);
        return;
    }
    let time = |at: Option<i64>| {
        let at = at.and_then(|at| Timestamp::from_microsecond(at).ok());
        at.map_or_else(|| "–".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
    };
    let due = record.due_at.filter(|_| record.ended_at.is_none());
    let due_left = due.map(|d| format!(" ({})", left(d))).unwrap_or_default();
    for (name, text) in [
        ("request", record.id.clone()),
        ("kind", record.kind.as_str().to_owned()),
        ("state", record.state.as_str().to_owned()),
        ("identity", record.identity.as_str().to_owned()),
        ("law", record.law.clone().unwrap_or_else(|| "–".to_owned())),
        ("received", time(Some(record.received_at))),
        ("late from", time(record.due_at) + &due_left),
        ("extended", time(record.extended_to)),
        ("owner", record.owner.clone().unwrap_or_else(|| "–".to_owned())),
        ("reason", record.reason_category.clone().unwrap_or_else(|| "–".to_owned())),
        ("undo until", time(record.undo_until)),
        ("ended", time(record.ended_at)),
    ] {
        output::line(&format!("{name:<12}{text}"));
    }
    for (place, rows) in found.into_iter().flatten() {
        output::line(&format!("{:<12}{place}: {}", "found", output::rows(*rows)));
    }
}

/// Every request, the most urgent first.
pub async fn list(workspace: &Workspace, format: Format) -> Result<u8, Failure> {
    let requests = workspace.state().requests().await?;
    if format == Format::Json {
        requests.iter().for_each(json);
        return Ok(OK);
    }
    if requests.is_empty() {
        output::line("No customer has asked for anything.");
        return Ok(OK);
    }
    let rows: Vec<Vec<String>> = requests
        .iter()
        .map(|r| {
            let due = r.due_at.filter(|_| r.ended_at.is_none()).map(left);
            vec![
                r.id.clone(),
                r.kind.as_str().to_owned(),
                r.state.as_str().to_owned(),
                r.identity.as_str().to_owned(),
                due.unwrap_or_default(),
                r.owner.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output::line(&output::table(&["request", "kind", "state", "identity", "left", "owner"], &rows, &[4]));
    Ok(OK)
}
