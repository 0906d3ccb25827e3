//! `dunlin request`: what customers ask for, taken in, decided on, carried out, and receipted.

mod files;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dunlin_ledger::TlogProof;
use dunlin_move::subject::{self, Carried, Deciding, NewRequest, Receipt, Who};
use dunlin_store::{Actor, Identity, RequestKind, RequestState, Verifier, now_us};

use super::OK;
use crate::cli::{Format, RequestCommand, RequestDecideArgs, RequestOpenArgs};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::workspace::{PlanFile, open};

/// What customers ask for.
pub async fn request(dir: &Path, command: RequestCommand, format: Format) -> Result<u8, Failure> {
    match command {
        RequestCommand::Open(args) => take_in(dir, args, format).await,
        RequestCommand::List => words::list(&open(dir).await?, format).await,
        RequestCommand::Show { id, search } => show(dir, &id, search, format).await,
        RequestCommand::Decide(args) => decide(dir, args, format).await,
        RequestCommand::CarryOut { id, out, receipt } => carry_out(dir, &id, out, receipt, format).await,
        RequestCommand::Receipt { id, out, subject } => receipt(dir, &id, &out, subject, format).await,
    }
}

/// A value of the command line, or the first line of the standard input: what is typed as an argument is seen by everybody
/// on the machine.
fn given(text: String) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text);
    }
    let mut line = String::new();
    let failed = |e: std::io::Error| Failure::file(Path::new("(standard input)"), &e);
    std::io::stdin().read_line(&mut line).map_err(failed)?;
    match line.trim_end_matches(['\n', '\r']) {
        "" => Err(Failure::usage("the standard input named nobody", "write the key on one line")),
        line => Ok(line.to_owned()),
    }
}

async fn take_in(dir: &Path, args: RequestOpenArgs, format: Format) -> Result<u8, Failure> {
    let kind = RequestKind::parse(&args.kind).ok_or_else(|| {
        let known: Vec<&str> = RequestKind::ALL.iter().map(|k| k.as_str()).collect();
        Failure::usage(
            format!("a request cannot be for `{}`", args.kind),
            format!("one of {}", known.join(", ")),
        )
    })?;
    let plan = PlanFile::read(dir)?;
    let clock = words::clock(&plan, kind, &args)?;
    let set = args.set.iter().map(|text| assignment(text));
    let unset = args.unset.iter().map(|text| column(text).map(|(table, column)| (table, column, None)));
    let set = set.chain(unset).collect::<Result<Vec<_>, _>>()?;
    let who = match (args.subject, args.email) {
        (Some(key), _) => Who::Key(given(key)?),
        (None, email) => Who::Email(given(email.unwrap_or_default())?),
    };
    let workspace = open(dir).await?;
    let new = NewRequest {
        kind,
        law: clock.law,
        received_at: clock.received_at,
        due_at: clock.due_at,
        extended_to: clock.extended_to,
        who,
        owner: args.owner,
        purpose: args.purpose,
        set,
    };
    let progress = Arc::new(Progress::new(false));
    let opened = subject::open(&workspace, &plan.plan, &plan.options(None), progress.clone(), new).await;
    progress.clear();
    let record = opened.map_err(|e| plan.failure(e))?;
    if format == Format::Text {
        output::line(&format!("request {} is open", record.id));
        for why in clock.why {
            output::note(&why);
        }
        output::note(&format!(
            "check who asks, then: dunlin request decide {} --identity confirmed --grant --reason \"…\"",
            record.id
        ));
        return Ok(OK);
    }
    words::json(&record);
    Ok(OK)
}

/// Takes in a deletion that a customer of the demo asks for: by GDPR and the days of Spain.
pub async fn for_demo(
    workspace: &dunlin_store::Workspace,
    plan: &PlanFile,
    key: &str,
    owner: &str,
) -> Result<dunlin_store::RequestRecord, Failure> {
    let args = RequestOpenArgs {
        kind: RequestKind::Erasure.as_str().to_owned(),
        subject: None,
        email: None,
        law: "gdpr".to_owned(),
        calendar: "ES".to_owned(),
        received: None,
        owner: None,
        purpose: None,
        set: Vec::new(),
        unset: Vec::new(),
    };
    let clock = words::clock(plan, RequestKind::Erasure, &args)?;
    let new = NewRequest {
        kind: RequestKind::Erasure,
        law: clock.law,
        received_at: clock.received_at,
        due_at: clock.due_at,
        extended_to: clock.extended_to,
        who: Who::Key(key.to_owned()),
        owner: Some(owner.to_owned()),
        purpose: None,
        set: Vec::new(),
    };
    let silent = Arc::new(|_: dunlin_move::Event<'_>| {});
    let opened = subject::open(workspace, &plan.plan, &plan.options(None), silent, new).await;
    opened.map_err(|e| plan.failure(e))
}

/// `store.table.column=value`.
fn assignment(text: &str) -> Result<(String, String, Option<String>), Failure> {
    let (place, value) = text.split_once('=').ok_or_else(|| no_column(text))?;
    let (table, column) = column(place)?;
    Ok((table, column, Some(value.to_owned())))
}

fn column(text: &str) -> Result<(String, String), Failure> {
    match text.trim().rsplit_once('.') {
        Some((table, column)) if table.contains('.') && !column.is_empty() => {
            Ok((table.to_owned(), column.trim_matches('"').to_owned()))
        }
        _ => Err(no_column(text)),
    }
}

/// What was typed may be a customer's value: it is not repeated.
fn no_column(_text: &str) -> Failure {
    Failure::usage("--set and --unset need a column of a table", "for example --set atlas.people.city=Vigo")
}

async fn show(dir: &Path, id: &str, search: bool, format: Format) -> Result<u8, Failure> {
    let workspace = open(dir).await?;
    let record = workspace.state().request(id).await?;
    let mut found = None;
    if search {
        let plan = PlanFile::read(dir)?;
        let progress = Arc::new(Progress::new(false));
        let places =
            subject::find(&workspace, &plan.plan, &plan.options(None), progress.clone(), id, None).await;
        progress.clear();
        found = Some(places.map_err(|e| plan.failure(e))?);
    }
    words::show(&record, found.as_ref(), format);
    Ok(OK)
}

async fn decide(dir: &Path, args: RequestDecideArgs, format: Format) -> Result<u8, Failure> {
    let identity = match args.identity.as_deref() {
        None => None,
        Some("confirmed") => Some(Identity::Confirmed),
        Some("failed") => Some(Identity::Failed),
        Some(_) => return Err(Failure::usage("an identity is confirmed or failed", "--identity confirmed")),
    };
    let state = match (args.grant, args.refuse, args.withdraw) {
        (true, ..) => Some(RequestState::Granted),
        (_, true, _) => Some(RequestState::Refused),
        (.., true) => Some(RequestState::Withdrawn),
        _ => None,
    };
    let reason = args.reason.unwrap_or_default();
    let code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
    let (category, text) = match reason.split_once(':') {
        Some((category, text))
            if !category.is_empty() && category.len() <= 64 && category.chars().all(code) =>
        {
            (category, text.trim())
        }
        _ => ("unstated", reason.trim()),
    };
    let deciding = Deciding {
        identity,
        state,
        reason_category: category.to_owned(),
        reason: text.to_owned(),
        undo_us: i64::from(args.undo_hours) * 3_600_000_000,
        owner: args.owner,
    };
    let workspace = open(dir).await?;
    let decided = subject::decide(&workspace, &Actor::local(), &args.id, deciding).await;
    let record = decided.map_err(|e| Failure::of(e, "", ""))?;
    words::show(&record, None, format);
    Ok(OK)
}

async fn carry_out(
    dir: &Path,
    id: &str,
    out: Option<PathBuf>,
    receipt: Option<PathBuf>,
    format: Format,
) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let record = workspace.state().request(id).await?;
    if matches!(record.kind, RequestKind::Access | RequestKind::Portability) {
        let out = out.ok_or_else(|| {
            Failure::usage("a copy of the data is written to a folder", "name it: --out DIR")
        })?;
        return files::export(&workspace, &plan, id, &out, format).await;
    }
    if let Some(file) = receipt.as_ref().filter(|f| f.exists()) {
        return Err(Failure::usage(format!("{} is there already", file.display()), "name another file"));
    }
    let progress = Arc::new(Progress::new(false));
    let (options, letters) = (plan.options(None), crate::letters::WaitingLetters);
    let carried = subject::carry_out(&workspace, &plan.plan, &options, progress.clone(), &letters, id).await;
    progress.clear();
    let carried = carried.map_err(|e| plan.failure(e))?;
    if let (Some(file), Some(made)) = (&receipt, &carried.receipt) {
        files::write_private(file, &files::pretty(made))?;
    }
    print(&carried, receipt.is_some(), format);
    Ok(OK)
}

fn print(carried: &Carried, written: bool, format: Format) {
    if format == Format::Json {
        output::json(&serde_json::json!({
            "request": carried.request.id,
            "kind": carried.request.kind.as_str(),
            "state": carried.request.state.as_str(),
            "rows": carried.rows,
            "found": carried.receipt.as_ref().map(|r| &r.statement.found),
            "receipt": carried.receipt,
            "notes": carried.notes,
        }));
        return;
    }
    output::line(&format!("request {} is {}", carried.request.id, carried.request.state.as_str()));
    for (place, rows) in &carried.rows {
        output::line(&format!("  {place}: {}", output::rows(*rows)));
    }
    if let Some(receipt) = &carried.receipt {
        output::line("Everything was searched once more:");
        for (place, rows) in &receipt.statement.found {
            let note = receipt.statement.notes.get(place).map(|n| format!(" ({n})")).unwrap_or_default();
            output::line(&format!("  {place}: {} found{note}", output::rows(*rows)));
        }
        if !written {
            output::note(&format!(
                "the customer's receipt: dunlin request receipt {} --out FILE --subject KEY",
                carried.request.id
            ));
        }
    }
    carried.notes.iter().for_each(|note| output::note(note));
}

async fn receipt(
    dir: &Path,
    id: &str,
    out: &Path,
    key: Option<String>,
    format: Format,
) -> Result<u8, Failure> {
    let key = key.map(given).transpose()?;
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let progress = Arc::new(Progress::new(false));
    let options = plan.options(None);
    let made = subject::receipt(&workspace, &plan.plan, &options, progress.clone(), id, key.as_deref()).await;
    progress.clear();
    let made = made.map_err(|e| plan.failure(e))?;
    files::write_private(out, &files::pretty(&made))?;
    match format {
        Format::Json => output::json(&serde_json::json!({
            "request": id, "file": out, "found": made.statement.found, "notes": made.statement.notes,
        })),
        Format::Text => output::line(&format!(
            "{} is written; anybody can check it: dunlin ledger prove --receipt {}",
            out.display(),
            out.display()
        )),
    }
    Ok(OK)
}

/// `dunlin ledger prove --receipt FILE`: with the ledger's public key and nothing else.
pub async fn check(dir: &Path, file: &Path, verifier: Option<&str>, format: Format) -> Result<u8, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::file(file, &e))?;
    let wrong = |message: String| Failure::Refused {
        message: format!("{}: {message}", file.display()),
        help: Some("the receipt was changed, or it is not of this ledger".to_owned()),
        code: 1,
    };
    let receipt: Receipt = serde_json::from_str(&text).map_err(|_| wrong("this is no receipt".to_owned()))?;
    let (key, from) = verifier_for(dir, &receipt, verifier).await?;
    receipt.check().map_err(|e| wrong(e.to_string()))?;
    let proof = TlogProof::parse(&receipt.proof).map_err(|e| wrong(e.to_string()))?;
    let checkpoint = proof.check(receipt.entry.as_bytes(), &key).map_err(|e| wrong(e.to_string()))?;
    let statement = &receipt.statement;
    if format == Format::Json {
        output::json(&serde_json::json!({
            "verified": true, "verifier": key.as_str(), "verifier_from": from, "request": statement.request,
            "kind": statement.kind, "searched_at": statement.searched_at, "found": statement.found,
            "notes": statement.notes, "index": proof.index,
            "ledger": { "size": checkpoint.size, "root": checkpoint.root_hex() },
        }));
        return Ok(OK);
    }
    output::line(&format!(
        "The receipt holds: entry {} of {} in the ledger, signed by {} (from {from}).",
        proof.index,
        checkpoint.size,
        key.as_str()
    ));
    let when = jiff::Timestamp::from_microsecond(statement.searched_at).map(|t| t.to_string());
    output::line(&format!("Searched at {}:", when.unwrap_or_default()));
    for (place, rows) in &statement.found {
        output::line(&format!("  {place}: {} found", output::rows(*rows)));
    }
    if from == "the receipt itself" {
        output::note(
            "the key stands in the receipt itself: get it from the company's page and give it with --verifier",
        );
    }
    Ok(OK)
}

/// The key to check with, and where it is from: the command line, the plan, this workspace, or else the receipt.
async fn verifier_for(
    dir: &Path,
    receipt: &Receipt,
    given: Option<&str>,
) -> Result<(Verifier, &'static str), Failure> {
    let read = |text: &str| {
        Verifier::parse(text).map_err(|_| {
            Failure::usage("the verifier is no public key of a ledger", "it is written `name+hash+key`")
        })
    };
    if let Some(text) = given {
        return Ok((read(text)?, "the command line"));
    }
    if let Some(pin) = PlanFile::read(dir).ok().and_then(|p| p.plan.ledger) {
        return Ok((read(&pin.verifier)?, "the plan"));
    }
    if dir.join(".dunlin/state.db").is_file() {
        let workspace = open(dir).await?;
        return Ok((workspace.keys().verifier()?, "this workspace"));
    }
    Ok((read(&receipt.verifier)?, "the receipt itself"))
}

/// The hours and minutes until a moment, for people.
fn left(until: i64) -> String {
    let minutes = until.saturating_sub(now_us()) / 60_000_000;
    match minutes {
        ..=0 => "late".to_owned(),
        m if m < 120 => format!("{m} min"),
        m if m < 2880 => format!("{} h", m / 60),
        m => format!("{} days", m / 1440),
    }
}
