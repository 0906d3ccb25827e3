//! What a customer sees: what was moved, from where to where and when, what was left behind and why, who looked, and what
//! they have asked for. Read through the gate as the customer's own access, each time anew.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use axum::response::Response;
use dunlin_gate::Act;
use dunlin_ledger::Actor;
use dunlin_plan::{Plan, StorePlan, TablePlan};
use dunlin_store::{RequestKind, RequestRecord, RequestState, RunKind, RunStatus, new_id, now_us};
use dunlin_tell::customer::{CustomerWords, filled};
use dunlin_tell::{Lang, country_name, purpose_words};
use tokio::sync::SemaphorePermit;

use super::opened::{self, Line};
use super::session::Customer;
use super::{Visit, draw, enter};
use crate::app::App;
use crate::layers::text;
use crate::problem::Problem;
use crate::requests::{
    Asked, CustomerKey, CustomerPart, Named, OwnData, Via, day, kind_name, last_day, own_ask, take_in,
};

/// The most rows of a table that the page shows; the copy has all.
const ROWS: usize = 50;
/// How many fields of a row are seen at once.
const FIELDS: usize = 8;
/// How many of a list are seen at once, on a phone too; the rest is a tap away.
const AT_ONCE: usize = 3;

/// A list of which the first are seen at once.
struct Folded<T> {
    first: Vec<T>,
    rest: Vec<T>,
    /// What leads to the rest, where there is one.
    more: Option<String>,
}

impl<T> Folded<T> {
    /// Shows so many, unless a single one were left: its line takes as much room as the way to it.
    fn at(mut all: Vec<T>, shown: usize, words: &CustomerWords) -> Folded<T> {
        let shown = if all.len() <= shown + 1 { all.len() } else { shown };
        let rest = all.split_off(shown);
        let more = (!rest.is_empty()).then(|| filled(words.more, &[&rest.len().to_string()]));
        Folded { first: all, rest, more }
    }
}

/// A value of a row with its column's name.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
}

impl Field {
    /// The name as people read it; a long one breaks between its words.
    fn label(&self) -> String {
        self.name.replace('_', " ")
    }
}

/// What stands where there is no value.
const NOTHING: &str = "–";

/// A table with rows of the customer.
pub(super) struct Moved {
    pub(super) name: String,
    records: String,
    way: String,
    when: String,
    rows: Folded<Folded<Field>>,
    left: Vec<Field>,
    waiting: Option<String>,
}

/// Something that was asked for, as a line.
struct Wish {
    id: String,
    kind: &'static str,
    about: Option<String>,
    state: &'static str,
    received: String,
    due: Option<String>,
    undo: bool,
    until: Option<String>,
    copy: bool,
    receipt: bool,
}

#[derive(askama::Template)]
#[template(path = "me.html")]
struct Page<'a> {
    words: &'a CustomerWords,
    title: String,
    csrf: String,
    suffix: String,
    heard: bool,
    tables: Vec<Moved>,
    left: Folded<Field>,
    opened: Folded<Line>,
    asked: Folded<Wish>,
}

/// The page, or the way in.
pub(super) async fn page(visit: Visit) -> Result<Response, Problem> {
    if let Some(response) = enter::by_address(&visit).await? {
        return Ok(response);
    }
    let Some(customer) = visit.customer().await? else { return enter::form(&visit, false) };
    let Some(key) = customer.key() else { return several(&visit) };
    let app = &visit.app;
    let heard = hear(&visit, &customer, &key).await?;
    let Some(plan) = plan_of(app) else {
        return visit.says(StatusCode::SERVICE_UNAVAILABLE, visit.words().closed, visit.words().closed_lead);
    };
    let parts = match look(app, &key).await {
        Ok(parts) => parts,
        Err(problem) => {
            tracing::warn!(code = problem.code, "a customer's rows could not be read");
            let words = visit.words();
            return visit.says(StatusCode::SERVICE_UNAVAILABLE, words.closed, words.closed_lead);
        }
    };
    let seen: Vec<(String, String)> = places(&plan, &parts);
    let asked = app.customers()?.asked_by(&key).await?;
    let erased = asked.iter().any(|r| r.kind == RequestKind::Erasure && r.state == RequestState::Done);
    let mut tables = tables(&visit, &plan, parts, erased).await?;
    let page = Page {
        words: visit.words(),
        title: visit.title(),
        csrf: customer.form_token(app)?,
        suffix: visit.suffix(),
        heard,
        left: left(&mut tables, visit.words()),
        tables,
        opened: Folded::at(opened::lines(app, visit.lang, &seen).await?, AT_ONCE, visit.words()),
        asked: wishes(&visit, &asked),
    };
    visit.page(StatusCode::OK, &page.title.clone(), draw(&page)?)
}

/// What was asked for, the newest first; what is not answered is seen at once, however much it is.
fn wishes(visit: &Visit, asked: &[RequestRecord]) -> Folded<Wish> {
    let (mut wishes, mut old) = (Vec::new(), Vec::new());
    for (place, one) in asked.iter().enumerate() {
        let seen = one.ended_at.is_none() || place < AT_ONCE;
        if seen { &mut wishes } else { &mut old }.push(line(visit, one));
    }
    let shown = wishes.len();
    wishes.append(&mut old);
    Folded::at(wishes, shown, visit.words())
}

/// A row with what it holds: empty fields hold nothing, and the copy has them.
fn fields(mut row: Vec<Field>, words: &CustomerWords) -> Folded<Field> {
    row.retain(|field| field.value != NOTHING);
    Folded::at(row, FIELDS, words)
}

/// What stayed behind of all tables: rows that wait before columns that do not move.
fn left(tables: &mut [Moved], words: &CustomerWords) -> Folded<Field> {
    let (mut all, mut columns) = (Vec::new(), Vec::new());
    for table in tables {
        let waits = table.waiting.take().map(|value| Field { name: table.name.clone(), value });
        all.extend(waits);
        for Field { name, value } in table.left.drain(..) {
            columns.push(Field { name: format!("{}: {name}", table.name), value });
        }
    }
    all.append(&mut columns);
    Folded::at(all, AT_ONCE, words)
}

/// More than one customer has the address: nothing is shown.
pub(super) fn several(visit: &Visit) -> Result<Response, Problem> {
    visit.says(StatusCode::OK, visit.words().several, visit.words().several_lead)
}

/// The plan as it is.
pub(super) fn plan_of(app: &App) -> Option<Plan> {
    crate::plan::read(&app.workspace.dir).ok().and_then(|file| file.plan.ok())
}

/// Waits for a seat from which the customer's tables may be read.
pub(super) async fn seat<'a>(app: &'a App, key: &CustomerKey) -> Result<SemaphorePermit<'a>, Problem> {
    app.requests.seats.of(app.workspace.keys().subject_name(&key.0)?).await
}

/// Everything of the customer. Few at a time: each look reads tables whole.
pub(super) async fn look(app: &App, key: &CustomerKey) -> Result<Vec<CustomerPart>, Problem> {
    let _seat = seat(app, key).await?;
    Ok(app.customers()?.look(key).await?)
}

/// The stores and tables with rows of the customer, as the ledger names them.
fn places(plan: &Plan, parts: &[CustomerPart]) -> Vec<(String, String)> {
    let mut found = BTreeSet::new();
    for table in &plan.tables {
        let (label, from) = (table.label(), table.from.to_string());
        if parts.iter().any(|p| p.table == label || p.table == from) {
            // People's looks at either side are entered under the table's label, those at a shell under its own name.
            found.insert((table.to.store.clone(), label.clone()));
            found.insert((table.from.store.clone(), label));
            found.insert((table.from.store.clone(), from));
        }
    }
    found.into_iter().collect()
}

/// `erased` says that the customer was erased: what a source still has does not move any more.
async fn tables(
    visit: &Visit,
    plan: &Plan,
    mut parts: Vec<CustomerPart>,
    erased: bool,
) -> Result<Vec<Moved>, Problem> {
    let (app, words) = (&visit.app, visit.words());
    let runs = app.workspace.state().runs().await?;
    let done = |r: &&dunlin_store::RunRecord| r.kind == RunKind::Load && r.status == RunStatus::Done;
    let moved_at = runs.iter().filter(done).filter_map(|r| r.ended_at).max();
    let mut found = Vec::new();
    for table in &plan.tables {
        let (label, from) = (table.label(), table.from.to_string());
        let count = |side: &str, name: &str| {
            parts.iter().filter(|p| p.side == side && p.table == name).map(|p| p.count).sum::<u64>()
        };
        let (target, source) = (count("target", &label), count("source", &from));
        let waiting = count("quarantine", &label);
        if target + source + waiting == 0 {
            continue;
        }
        let place = parts.iter().position(|p| p.side == "target" && p.table == label);
        let rows = match place {
            Some(place) => rows(app, parts.swap_remove(place)).await?,
            None => Vec::new(),
        };
        let when = match moved_at {
            Some(at) if target > 0 => filled(words.moved_on, &[&day(app, visit.lang, at)]),
            _ if erased => words.stays_behind.to_owned(),
            _ => words.not_moved.to_owned(),
        };
        found.push(Moved {
            name: short(&label),
            records: filled(words.records, &[&target.max(source).to_string()]),
            way: way(visit.lang, words, plan, table),
            when,
            rows: Folded::at(rows.into_iter().map(|row| fields(row, words)).collect(), AT_ONCE, words),
            left: table
                .drop
                .iter()
                .map(|drop| Field { name: drop.column.clone(), value: drop.reason.clone() })
                .collect(),
            waiting: (waiting > 0).then(|| filled(words.waiting, &[&waiting.to_string()])),
        });
    }
    // Tables that the plan has no longer, with rows that wait all the same.
    let is_known = |label: &str| plan.tables.iter().any(|table| table.label() == label);
    let mut gone: BTreeMap<&str, u64> = BTreeMap::new();
    for part in parts.iter().filter(|p| p.side == "quarantine" && !is_known(&p.table)) {
        *gone.entry(&part.table).or_default() += part.count;
    }
    found.extend(gone.into_iter().map(|(label, waiting)| Moved {
        name: short(label),
        records: filled(words.records, &[&waiting.to_string()]),
        way: String::new(),
        when: words.not_moved.to_owned(),
        rows: Folded::at(Vec::new(), AT_ONCE, words),
        left: Vec::new(),
        waiting: Some(filled(words.waiting, &[&waiting.to_string()])),
    }));
    Ok(found)
}

fn short(label: &str) -> String {
    label.rsplit('.').next().unwrap_or_default().trim_matches('"').replace('_', " ")
}

/// From where to where, in countries where the plan names them.
fn way(lang: Lang, words: &CustomerWords, plan: &Plan, table: &TablePlan) -> String {
    let place = |name: &str| {
        let region = plan.stores.get(name).and_then(|s: &StorePlan| s.region.as_deref());
        match region {
            Some(region) => format!("{name} ({})", country_name(lang, region)),
            None => name.to_owned(),
        }
    };
    filled(words.from_to, &[&place(&table.from.store), &place(&table.to.store)])
}

/// The rows of a part, opened for the customer.
pub(super) async fn rows(app: &App, part: CustomerPart) -> Result<Vec<Vec<Field>>, Problem> {
    let shut = |_| {
        tracing::error!(reference = crate::problem::reference(), "the gate did not open to a customer");
        Problem::internal()
    };
    let ask = own_ask(Act::Read);
    let opened = dunlin_gate::open(part.rows, &OwnData, &*app.workspace, &ask, &new_id()).await;
    let opened = opened.map_err(shut)?;
    let field = |(column, value): (&dunlin_gate::ColumnInfo, &Option<String>)| Field {
        name: column.name.clone(),
        value: value.clone().unwrap_or_else(|| NOTHING.to_owned()),
    };
    let rows = opened.rows.iter().take(ROWS);
    let rows = rows.map(|row| opened.columns.iter().zip(row).map(field).collect()).collect();
    opened.close(&*app.workspace).await.map_err(|_| Problem::internal())?;
    Ok(rows)
}

/// What a purpose is called in a language; its own words where there are none.
pub(super) fn purpose_name(lang: Lang, purpose: &str) -> String {
    purpose_words(lang, purpose).map_or_else(|| purpose.trim_start_matches("dpv:").to_owned(), str::to_owned)
}

fn line(visit: &Visit, record: &RequestRecord) -> Wish {
    let (app, words, lang) = (&visit.app, visit.words(), visit.lang);
    let place = RequestState::ALL.iter().position(|state| *state == record.state);
    let until = record.undo_until.filter(|until| *until > now_us() && record.state == RequestState::Granted);
    let copy = matches!(record.kind, RequestKind::Access | RequestKind::Portability);
    let due = record.due_at.filter(|_| record.ended_at.is_none());
    Wish {
        id: record.id.clone(),
        kind: kind_name(words, record.kind),
        about: (!record.purpose.is_empty()).then(|| purpose_name(lang, &record.purpose)),
        state: place.and_then(|place| words.states.get(place)).copied().unwrap_or_default(),
        received: day(app, lang, record.received_at),
        due: due.map(|due| filled(words.due, &[&last_day(app, lang, due)])),
        undo: record.state == RequestState::Open || until.is_some(),
        until: until.map(|until| filled(words.undo_until, &[&moment(app, lang, until)])),
        copy: copy && record.state == RequestState::Granted,
        receipt: record.state == RequestState::Done,
    }
}

/// A day with its hour and minute.
fn moment(app: &App, lang: Lang, at: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(at).unwrap_or_default().to_zoned(app.desk.zone()).time();
    format!("{}, {:02}:{:02}", day(app, lang, at), time.hour(), time.minute())
}

/// Global Privacy Control: a browser that sends `Sec-GPC: 1` objects to marketing. Entered once for each of the plan's
/// marketing purposes; whether it was heard.
async fn hear(visit: &Visit, customer: &Customer, key: &CustomerKey) -> Result<bool, Problem> {
    if text(&visit.headers, axum::http::HeaderName::from_static("sec-gpc")).trim() != "1" {
        return Ok(false);
    }
    let app = &visit.app;
    let is_marketing = |purpose: &&String| purpose.contains("Marketing") || purpose.contains("Advertising");
    let plan = plan_of(app);
    let named = plan.iter().flat_map(|plan| &plan.tables).filter_map(|table| table.purpose.as_ref());
    let mut purposes: BTreeSet<String> = named.filter(is_marketing).cloned().collect();
    if purposes.is_empty() {
        // Nothing is used so today; what comes later is objected to now.
        purposes.insert("dpv:Marketing".to_owned());
    }
    let asked = app.customers()?.asked_by(key).await?;
    for purpose in purposes {
        let is_same = |r: &RequestRecord| {
            r.kind == RequestKind::Objection
                && (r.purpose == purpose || r.purpose.is_empty())
                && !matches!(r.state, RequestState::Refused | RequestState::Withdrawn)
        };
        if asked.iter().any(is_same) {
            continue;
        }
        let asked = Asked {
            kind: RequestKind::Objection,
            who: Named::Key(key.clone()),
            purpose: Some(purpose.clone()),
            set: Vec::new(),
            via: Via::Gpc,
            lang: Some(visit.lang),
            email: customer.known.write_to(),
            received_at: None,
        };
        match take_in(app, asked, Actor::System).await {
            Ok(_) => {}
            // Nobody is known by this key: there is nothing to object about.
            Err(problem) if problem.status < 500 => return Ok(true),
            Err(problem) => return Err(problem),
        }
    }
    Ok(true)
}
