//! What was done, for the packs: the ledger read once from its first entry, and the state beside it.

use std::collections::{BTreeMap, BTreeSet};

use dunlin_quality::packs::{
    Approved, Facts, GroupFacts, Incident, Past, RunFacts, Survivors, TableRun, TotalsRun,
};
use dunlin_store::{
    Body, Entry, NoticeStatus, QuarantineFilter, QuarantineStatus, RequestState, RunKind, StoreError,
    Workspace, now_us,
};

use crate::failure::Failure;
use crate::workspace::PlanFile;

/// Kinds that must not stand in what dunlin writes.
const NEVER: [&str; 4] = ["card_number", "email", "iban", "us_ssn"];

/// What is remembered while the ledger is read.
#[derive(Default)]
struct Reading {
    past: Past,
    /// Runs that write, by id.
    runs: BTreeMap<String, RunFacts>,
    order: Vec<String>,
    grants: BTreeSet<String>,
    open_grants: BTreeSet<String>,
    alerts: BTreeMap<String, Incident>,
    /// Requests to be erased, by id, and what was found of them when last searched.
    erasures: BTreeMap<String, u64>,
    published: BTreeMap<String, u64>,
    reconciled: BTreeMap<(String, String), u64>,
    scan: BTreeMap<String, u64>,
    /// Who wrote which fingerprint from which, the oldest first.
    edits: Vec<(String, String, String)>,
    /// Fingerprints that were ever approved.
    approved: Vec<String>,
    /// The latest rehearsal into a copy, of this plan as it is now.
    copy: Option<String>,
}

/// Adds what was done to the facts.
pub(super) async fn gather(workspace: &Workspace, plan: &PlanFile, facts: &mut Facts) -> Result<(), Failure> {
    workspace.integrate().await?;
    let mut reading = Reading::default();
    reading.past.fingerprint = plan.plan.fingerprint().to_string();
    for (number, bytes) in (0u64..).zip(workspace.ledger()?.entries(0)) {
        let bytes = bytes.map_err(StoreError::from)?;
        reading.past.entries = number + 1;
        // An entry of a newer dunlin is no reason to know nothing.
        let Ok(entry) = Entry::from_bytes(&bytes) else { continue };
        scan(&bytes, &mut reading.scan);
        reading.take(number, entry);
    }
    let published = std::mem::take(&mut reading.published);
    for notice in &mut facts.notices {
        for version in workspace.state().notices_of_file(&notice.file).await? {
            if version.status() == NoticeStatus::Published {
                let entry = published.get(&version.notice).copied().unwrap_or_default();
                (notice.published, notice.entry) = (true, entry);
            }
        }
    }
    let results = std::mem::take(&mut reading.reconciled);
    facts.past = reading.finished();
    facts.past.verified = Some(workspace.verify_ledger(&[]).await.is_ok());
    facts.past.keys_outside = Some(outside(workspace, plan));
    state(workspace, &mut facts.past).await?;
    tables(workspace, facts, &results).await
}

impl Reading {
    fn take(&mut self, number: u64, entry: Entry) {
        let who = entry.actor.to_string();
        let past = &mut self.past;
        if past.since.is_none() {
            past.since = Some(day(entry.at));
        }
        match entry.body {
            Body::RunStarted { run, plan_fingerprint, rehearse: false, .. } => {
                let facts =
                    RunFacts { by: who, fingerprint: plan_fingerprint, entry: number, ..RunFacts::default() };
                self.runs.insert(run.clone(), facts);
                self.order.push(run);
            }
            Body::RunStarted { run, plan_fingerprint, rehearse: true, .. }
                if plan_fingerprint == past.fingerprint =>
            {
                // What an older copy held says nothing of this one.
                (self.copy, past.survivors) = (Some(run), None);
            }
            Body::RunFinished { run, reconciled } => {
                if let Some(run) = self.runs.get_mut(&run) {
                    (run.finished, run.reconciled) = (true, reconciled);
                }
            }
            Body::TableReconciled { run, table, .. } | Body::Verified { run, table, .. } => {
                self.reconciled.insert((run, table), number);
            }
            Body::Rehearsed { fingerprint, .. } if fingerprint == past.fingerprint => {
                past.rehearsals.push(number);
            }
            Body::PlanEdited { fingerprint, previous } => self.edits.push((who, previous, fingerprint)),
            Body::PlanApproved { fingerprint, .. } => {
                if fingerprint == past.fingerprint {
                    past.approvals.push(Approved { by: who, entry: number, voided: None });
                }
                self.approved.push(fingerprint);
            }
            Body::ApprovalVoided { fingerprint, .. } if fingerprint == past.fingerprint => {
                // What ran while it held was approved; what ran later was not.
                for approval in past.approvals.iter_mut().filter(|a| a.voided.is_none()) {
                    approval.voided = Some(number);
                }
            }
            Body::RuleWaived { waiver, .. } => drop(past.waived.insert(waiver, number)),
            Body::QuarantineDecided { .. } => past.decisions.push(number),
            Body::ReportWritten { .. } => past.reports.push(number),
            Body::AccessOpened { .. } => past.accesses += 1,
            Body::KeysRotated { .. } | Body::LedgerKeyChanged { .. } => past.key_changes.push(number),
            Body::CopyExamined { run, values, found } if self.copy.as_ref() == Some(&run) => {
                // Rules stand in the ledger in small letters.
                let found = found.into_iter().map(|(rule, n)| (rule.to_uppercase(), n)).collect();
                let copy = Survivors { cells: values, found, entry: number, ..Survivors::default() };
                past.survivors = Some(copy);
            }
            Body::CopyGrouped { run, table, columns, rows, smallest } if self.copy.as_ref() == Some(&run) => {
                if let Some(copy) = &mut past.survivors {
                    copy.groups.push(GroupFacts { table, columns, rows, smallest, entry: number });
                }
            }
            body => self.take_people(number, entry.at, body),
        }
    }

    fn take_people(&mut self, number: u64, at: i64, body: Body) {
        match body {
            Body::GrantOpened { grant, .. } => {
                self.grants.insert(grant.clone());
                self.open_grants.insert(grant);
            }
            Body::GrantClosed { grant, .. } => {
                self.open_grants.remove(&grant);
            }
            Body::AlertRaised { alert, severity, .. } if matches!(severity.as_str(), "high" | "critical") => {
                self.alerts.insert(alert, Incident { day: day(at), entry: number, closed: false });
            }
            Body::AlertClosed { alert, .. } => {
                if let Some(alert) = self.alerts.get_mut(&alert) {
                    alert.closed = true;
                }
            }
            Body::RequestOpened { request, request_kind, .. } if request_kind == "erasure" => {
                self.erasures.insert(request, 0);
            }
            Body::SubjectVerified { request, rows, .. } => {
                if let Some(left) = self.erasures.get_mut(&request) {
                    *left = rows.values().sum();
                }
            }
            Body::SubjectErased { rows, .. } => {
                let sources = rows.iter().filter(|(place, _)| place.starts_with("source"));
                self.past.source_erased += sources.map(|(_, rows)| rows).sum::<u64>();
            }
            Body::NoticePublished { notice, .. } => {
                self.published.insert(notice, number);
            }
            Body::NoticeWithdrawn { notice, .. } => {
                self.published.remove(&notice);
            }
            _ => {}
        }
    }

    fn finished(mut self) -> Past {
        let runs = self.order.iter().filter_map(|id| self.runs.remove(id));
        self.past.runs = runs.collect();
        self.past.grants = self.grants.len() as u64;
        self.past.grants_open = self.open_grants.len() as u64;
        self.past.incidents = self.alerts.into_values().collect();
        self.past.incidents.sort_by_key(|incident| incident.entry);
        self.past.erased_left = self.erasures.values().sum();
        self.past.scan = Some(self.scan);
        // An edit outside the server has no author that anybody knows: there the chain ends.
        self.edits.reverse();
        self.past.authors = dunlin_guard::authors(&self.edits, &self.approved, &self.past.fingerprint);
        self.past
    }
}

/// What the state knows beside the ledger.
async fn state(workspace: &Workspace, past: &mut Past) -> Result<(), Failure> {
    let now = now_us();
    for request in workspace.state().requests().await? {
        let kind = request.kind.as_str().to_owned();
        match request.state {
            RequestState::Open | RequestState::Granted | RequestState::Acting => {
                *past.open.entry(kind).or_default() += 1;
                past.late += u64::from(late(request.due_at, now));
            }
            RequestState::Done => *past.answered.entry(kind).or_default() += 1,
            RequestState::Refused | RequestState::Withdrawn => {}
        }
    }
    let filter = QuarantineFilter { status: Some(QuarantineStatus::Waiting), ..QuarantineFilter::default() };
    for group in workspace.state().quarantine_groups(&filter).await? {
        past.waiting += group.rows;
        let scan = past.scan.get_or_insert_default();
        [group.pattern, group.column].into_iter().flatten().for_each(|text| scan_text(&text, scan));
    }
    Ok(())
}

/// Whether the day of a request has passed. `due_at` is moved by an extension that was made; `extended_to` only says
/// what one would give.
fn late(due_at: Option<i64>, now: i64) -> bool {
    due_at.is_some_and(|due| due < now)
}

/// What the latest run of this plan came to, table by table.
async fn tables(
    workspace: &Workspace,
    facts: &mut Facts,
    entries: &BTreeMap<(String, String), u64>,
) -> Result<(), Failure> {
    let mut runs = workspace.state().runs().await?;
    runs.retain(|run| run.fingerprint == facts.past.fingerprint && run.kind == RunKind::Load);
    let Some(run) = runs.into_iter().max_by_key(|run| run.started_at) else { return Ok(()) };
    let (results, _) = crate::commands::report::latest_results(workspace, &run.id).await?;
    for result in results {
        let Some(table) = facts.tables.iter_mut().find(|table| table.name == result.table) else { continue };
        let mut rules = result.noted.clone();
        for (reason, rows) in &result.reasons {
            *rules.entry(reason.trim_start_matches("rule:").to_owned()).or_default() += rows;
        }
        table.run = Some(TableRun {
            source: result.source_rows,
            loaded: result.loaded,
            merged: result.merged,
            quarantined: result.quarantined,
            excluded: result.excluded,
            erased: result.erased,
            reconciled: result.reconciled,
            totals: result.totals.as_ref().map(|totals| TotalsRun {
                figures: totals.lines.len() as u64,
                differ: totals.lines.iter().filter(|line| !line.agrees()).count() as u64,
                unknown: totals.unknown.clone(),
            }),
            rules,
            entry: entries.get(&(run.id.clone(), result.table.clone())).copied().unwrap_or_default(),
        });
    }
    Ok(())
}

/// Whether the keys lie outside the workspace's folder.
fn outside(workspace: &Workspace, plan: &PlanFile) -> bool {
    let keys = workspace.keys().folder().canonicalize();
    let folder = plan.dir.canonicalize();
    match (keys, folder) {
        (Ok(keys), Ok(folder)) => !keys.starts_with(folder),
        _ => true,
    }
}

/// The day of a moment, in UTC.
fn day(at: i64) -> String {
    jiff::Timestamp::from_microsecond(at)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
        .unwrap_or_default()
}

/// Counts what the detectors find in an entry's texts.
fn scan(bytes: &[u8], found: &mut BTreeMap<String, u64>) {
    fn texts(value: &serde_json::Value, found: &mut BTreeMap<String, u64>) {
        match value {
            serde_json::Value::String(text) => scan_text(text, found),
            serde_json::Value::Array(all) => all.iter().for_each(|value| texts(value, found)),
            serde_json::Value::Object(all) => all.values().for_each(|value| texts(value, found)),
            _ => {}
        }
    }
    if let Ok(value) = serde_json::from_slice(bytes) {
        texts(&value, found);
    }
}

/// The same of one text. Hashes and ids are passed over: nothing in them stands for a person.
fn scan_text(text: &str, found: &mut BTreeMap<String, u64>) {
    let id = text.len() >= 12 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if id || (digits < 9 && !text.contains('@')) {
        return;
    }
    let spans = dunlin_quality::spans(text);
    for span in spans.iter().filter(|span| NEVER.contains(&span.kind) && span.confidence > 0.8) {
        *found.entry(span.kind.to_owned()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_late_from_its_day_on_whatever_an_extension_would_give() {
        // due_at < now < extended_to: nobody has extended it.
        let (due_at, now, extended_to) = (100, 150, 200);
        assert!(late(Some(due_at), now));
        assert!(!late(Some(extended_to), now), "an extension that was made moves due_at");
        assert!(!late(None, now));
    }

    fn entry(who: &str, body: Body) -> Entry {
        Entry { at: 0, actor: dunlin_store::Actor::Person { id: who.to_owned() }, body }
    }

    fn fingerprint(of: &str) -> Reading {
        let mut reading = Reading::default();
        reading.past.fingerprint = of.to_owned();
        reading
    }

    #[test]
    fn authors_are_those_whose_edits_lead_to_this_plan() {
        let edit = |previous: &str, fingerprint: &str| Body::PlanEdited {
            fingerprint: fingerprint.to_owned(),
            previous: previous.to_owned(),
        };
        let read = |now: &str| {
            let mut reading = fingerprint(now);
            let edits = [("ana", edit("aa", "bb")), ("ben", edit("bb", "cc")), ("eva", edit("xx", "yy"))];
            (0u64..).zip(edits).for_each(|(n, (who, body))| reading.take(n, entry(who, body)));
            reading.finished().authors.len()
        };
        assert_eq!(read("cc"), 2);
        assert_eq!(read("dd"), 0, "changed outside the server: nobody is known");
    }

    #[test]
    fn only_the_latest_copy_of_this_plan_is_shown() {
        let copy = |run: &str, of: &str| Body::RunStarted {
            run: run.to_owned(),
            plan_fingerprint: of.to_owned(),
            rehearse: true,
            stores: BTreeMap::new(),
        };
        let examined =
            |run: &str| Body::CopyExamined { run: run.to_owned(), values: 5, found: BTreeMap::new() };
        let read = |bodies: Vec<Body>| {
            let mut reading = fingerprint("aa");
            (0u64..).zip(bodies).for_each(|(n, body)| reading.take(n, entry("ana", body)));
            reading.finished().survivors.map(|s| s.entry)
        };
        assert_eq!(read(vec![copy("1", "aa"), examined("1")]), Some(1));
        assert_eq!(read(vec![copy("1", "bb"), examined("1")]), None, "of another plan");
        assert_eq!(read(vec![copy("1", "aa"), examined("1"), copy("2", "aa")]), None, "not looked at yet");
    }

    #[test]
    fn a_value_in_an_entry_is_seen_and_an_id_is_not() {
        let mut found = BTreeMap::new();
        scan(br#"{"a":["0198a2b3-4111-7111-8111-111111111111","4111111111111111"]}"#, &mut found);
        assert_eq!(found, BTreeMap::new());
        scan(br#"{"a":{"b":"paid with 4111 1111 1111 1111 by ana@example.com"}}"#, &mut found);
        assert_eq!(found, BTreeMap::from([("card_number".to_owned(), 1), ("email".to_owned(), 1)]));
    }
}
