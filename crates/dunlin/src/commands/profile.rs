//! `dunlin profile`: what is in the data, of the plan's sources or of any store.

use std::path::Path;
use std::sync::Arc;

use dunlin_connect::{Bounds, OpenOptions, ReadRequest, Store, Table};
use dunlin_gate::{AccessLog, Ask, LogFailed, MaskedOnly};
use dunlin_move::{Stores, find_table};
use dunlin_plan::TablePlan;
use dunlin_quality::{
    ColumnProfile, ProfileOptions, Rule, RuleCount, Rules, broken_references, profile_table_with,
};
use dunlin_store::{Actor, Body, Workspace};

use super::OK;
use crate::cli::{Format, ProfileArgs};
use crate::failure::Failure;
use crate::output::{self, thousands};
use crate::profiled::{self, Beside, load};
use crate::report::profile_page;
use crate::workspace::{PLAN_FILE, PlanFile, open};

/// Profiles every column of every table, whole, in one pass.
pub async fn profile(dir: &Path, args: ProfileArgs, format: Format) -> Result<u8, Failure> {
    let failed = |e| Failure::Move(dunlin_move::MoveError::Connect(e));
    if let Some(so_long) = args.watch {
        return watch(dir, so_long.unsigned_abs(), format).await;
    }
    let plan = match &args.url {
        Some(_) => None,
        None => Some(PlanFile::read(dir)?),
    };
    let tables = match (&args.url, &plan) {
        (Some(url), _) => all_of(url, &args.tables).await?,
        (None, Some(plan)) => planned(plan).await?,
        (None, None) => Vec::new(),
    };
    let chosen = |table: &Table| args.tables.is_empty() || args.tables.contains(&table.name.to_string());
    let rules = args.rules.as_deref().map(read_rules).transpose()?.unwrap_or_default();
    let log = Log::of(dir).await?;
    let mut page = profile_page::Page::new(args.sample);
    let mut described = Described::default();
    for Found { store, table, plan } in tables.into_iter().filter(|found| chosen(&found.table)) {
        let name = table.name.to_string();
        // Only a look at every row can say that a value stands nowhere.
        let references = match args.sample {
            None => {
                let others = described.of(&store).await.map_err(failed)?;
                broken_references(store.as_ref(), &table, others, &name).await.map_err(failed)?
            }
            Some(_) => Vec::new(),
        };
        let options = ProfileOptions { name: None, sample: args.sample, rules: compiled(&rules, &table)? };
        let profile = profile_table_with(store.as_ref(), table, options).await.map_err(failed)?;
        let counts = profile.rules.clone();
        let (ask, access) = (Ask::masked(Actor::local()), dunlin_store::new_id());
        let opened = profile.open(&MaskedOnly, &log, ask, &access).await;
        let (columns, opened) = opened.map_err(super::quarantine::refused)?;
        let mut beside = Beside { references, ..Beside::default() };
        if let Some(plan) = &plan {
            let since = profiled::since(log.workspace(), plan, &columns, args.sample.is_some()).await?;
            (beside.drift, beside.compared_with) = since;
        }
        print(&columns, format);
        print_rules(&counts, format);
        print_beside(&beside, format);
        if args.html.is_some() {
            page.table(&columns, &counts, &beside);
        }
        opened.close(&log).await.map_err(super::quarantine::refused)?;
    }
    if let (Some(plan), Some(workspace)) = (&plan, log.workspace())
        && let Some(load) = load::known(workspace, &plan.plan).await?
    {
        match format {
            Format::Json => output::json(&load),
            Format::Text => load.lines().iter().for_each(|line| output::line(line)),
        }
        page.load(&load);
    }
    log.close().await?;
    if let Some(path) = &args.html {
        std::fs::write(path, page.render()).map_err(|e| Failure::file(path, &e))?;
        output::note(&format!("{} is written", path.display()));
    }
    Ok(OK)
}

/// The store of a URL on the command line, or of a file's path.
pub(super) async fn store_of(url: &str) -> Result<Arc<dyn Store>, Failure> {
    let base = std::env::current_dir().unwrap_or_default();
    let url = if url.contains(':') { url.to_owned() } else { format!("file:{url}") };
    let opened = dunlin_connect::open("it", &url, &OpenOptions { base, ..OpenOptions::default() }).await;
    opened.map_err(|e| Failure::Move(dunlin_move::MoveError::Connect(e)))
}

/// The file of `--rules`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    rule: Vec<Rule>,
}

fn read_rules(path: &Path) -> Result<Vec<Rule>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| Failure::file(path, &e))?;
    let file: RuleFile = toml_edit::de::from_str(&text).map_err(|e| {
        let line = e.span().map(|span| text[..span.start].matches('\n').count() + 1).unwrap_or(1);
        Failure::usage(
            format!("{}:{line}: {}", path.display(), e.message()),
            "write `[[rule]]` with `name` and either `check = \"…\"` or `unique = [\"column\"]`",
        )
    })?;
    Ok(file.rule)
}

/// The rules over the columns as a read of this table gives them.
fn compiled(rules: &[Rule], table: &Table) -> Result<Option<Arc<Rules>>, Failure> {
    if rules.is_empty() {
        return Ok(None);
    }
    let schema = ReadRequest::all(Arc::new(table.clone()), Bounds::Whole).schema();
    let now = jiff::Timestamp::now().as_microsecond();
    let compiled = Rules::compile(rules, &schema, now).map_err(|e| {
        let help = e.help.clone().unwrap_or_else(|| "rules see the columns of the source".to_owned());
        Failure::usage(format!("table {}: {e}", table.name), help)
    })?;
    Ok(Some(Arc::new(compiled)))
}

fn print_rules(counts: &[RuleCount], format: Format) {
    if format == Format::Json {
        counts.iter().for_each(output::json);
        return;
    }
    if counts.is_empty() {
        return;
    }
    let broken =
        |c: &RuleCount| c.broken.map_or_else(|| "too many different values to tell".to_owned(), thousands);
    let rows: Vec<Vec<String>> = counts.iter().map(|c| vec![c.rule.clone(), broken(c)]).collect();
    output::line(&output::table(&["rule", "rows that break it"], &rows, &[1]));
}

/// Where a look at values is entered: the workspace's ledger. A store may be profiled where there is no workspace;
/// then there is no ledger, and nothing but masks comes out of the gate ([`Ask::masked`]).
pub(super) enum Log {
    Workspace(Workspace),
    None,
}

impl Log {
    /// The workspace, where there is one.
    fn workspace(&self) -> Option<&Workspace> {
        match self {
            Self::Workspace(workspace) => Some(workspace),
            Self::None => None,
        }
    }

    pub(super) async fn of(dir: &Path) -> Result<Self, Failure> {
        let there = dir.join(PLAN_FILE).is_file() || dir.join(".dunlin").is_dir();
        Ok(if there { Self::Workspace(open(dir).await?) } else { Self::None })
    }

    /// Signs what was entered.
    pub(super) async fn close(&self) -> Result<(), Failure> {
        if let Self::Workspace(workspace) = self {
            workspace.integrate().await?;
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl AccessLog for Log {
    async fn keep_text(&self, text: &str) -> Result<String, LogFailed> {
        match self {
            Self::Workspace(workspace) => AccessLog::keep_text(workspace, text).await,
            // Only who asks for clear values says why.
            Self::None => Err(LogFailed),
        }
    }

    async fn enter(&self, actor: &Actor, body: Body) -> Result<(), LogFailed> {
        match self {
            Self::Workspace(workspace) => AccessLog::enter(workspace, actor, body).await,
            Self::None => Ok(()),
        }
    }
}

/// The tables of each store, described once.
#[derive(Default)]
struct Described {
    known: Vec<(Arc<dyn Store>, Vec<Table>)>,
}

impl Described {
    async fn of(&mut self, store: &Arc<dyn Store>) -> dunlin_connect::Result<&[Table]> {
        let at = match self.known.iter().position(|(known, _)| Arc::ptr_eq(known, store)) {
            Some(at) => at,
            None => {
                self.known.push((store.clone(), profiled::described(store.as_ref()).await?));
                self.known.len() - 1
            }
        };
        Ok(&self.known[at].1)
    }
}

/// A table to profile, with what the plan makes of it.
struct Found {
    store: Arc<dyn Store>,
    table: Table,
    plan: Option<TablePlan>,
}

/// The tables of a store, or these of them: another one that cannot be described does not stop them.
async fn all_of(url: &str, wanted: &[String]) -> Result<Vec<Found>, Failure> {
    let failed = |e| Failure::Move(dunlin_move::MoveError::Connect(e));
    let store = store_of(url).await?;
    let mut tables = Vec::new();
    let names = store.tables().await.map_err(failed)?;
    for name in names.into_iter().filter(|name| wanted.is_empty() || wanted.contains(&name.to_string())) {
        if let Some(table) = store.table(&name).await.map_err(failed)? {
            tables.push(Found { store: store.clone(), table, plan: None });
        }
    }
    Ok(tables)
}

/// Watches how busy the sources are.
async fn watch(dir: &Path, so_long: std::time::Duration, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let stores = Stores::open(&plan.plan, &plan.dir).await.map_err(|e| plan.failure(e))?;
    let mut sources = Vec::new();
    for table in &plan.plan.tables {
        sources.push(stores.get(&table.from.store).map_err(|e| plan.failure(e))?.clone());
    }
    let taken = load::watch(&workspace, &plan.plan, &sources, so_long).await?;
    if taken == 0 {
        return Err(Failure::usage(
            "no source of this plan tells who is at work in it",
            "only a PostgreSQL server does; choose the hours by what you know, under [window]",
        ));
    }
    if let Some(load) = load::known(&workspace, &plan.plan).await? {
        match format {
            Format::Json => output::json(&load),
            Format::Text => load.lines().iter().for_each(|line| output::line(line)),
        }
    }
    Ok(OK)
}

async fn planned(plan: &PlanFile) -> Result<Vec<Found>, Failure> {
    let stores = Stores::open(&plan.plan, &plan.dir).await.map_err(|e| plan.failure(e))?;
    let mut tables = Vec::new();
    for table in &plan.plan.tables {
        let store = stores.get(&table.from.store).map_err(|e| plan.failure(e))?;
        if let Some(found) = find_table(store.as_ref(), &table.from).await.map_err(|e| plan.failure(e))? {
            tables.push(Found { store: store.clone(), table: found, plan: Some(table.clone()) });
        }
    }
    Ok(tables)
}

/// References that lead nowhere, and what has changed.
fn print_beside(beside: &Beside, format: Format) {
    if format == Format::Json {
        beside.references.iter().for_each(output::json);
        beside.drift.iter().for_each(output::json);
        return;
    }
    for reference in &beside.references {
        let guess = if reference.declared { "" } else { " (guessed by its name)" };
        let told = match reference.broken {
            0 => "every value is there".to_owned(),
            broken => format!("{} lead nowhere ({:.1} %)", thousands(broken), reference.share * 100.0),
        };
        output::line(&format!(
            "  {} → {}({}){guess}: {told}",
            reference.columns.join(", "),
            reference.to,
            reference.key.join(", ")
        ));
    }
    for drift in &beside.drift {
        output::line(&format!("  ! {}: {}", drift.column, drift.message));
    }
}

fn print(columns: &[ColumnProfile], format: Format) {
    if format == Format::Json {
        columns.iter().for_each(output::json);
        return;
    }
    let Some(first) = columns.first() else { return };
    output::line(&format!("\n{}  {}", first.table, output::rows(first.rows)));
    let rows: Vec<Vec<String>> = columns
        .iter()
        .map(|c| {
            let share = |n: u64| {
                if n == 0 {
                    String::new()
                } else {
                    format!("{:.1} %", n as f64 * 100.0 / c.rows.max(1) as f64)
                }
            };
            let kind = c.kind.clone().map(|k| match (c.detail, &c.class) {
                (Some(detail), Some(class)) if detail != k => format!("{k}: {detail} ({class})"),
                (_, Some(class)) => format!("{k} ({class})"),
                (_, None) => k,
            });
            let pattern = c.patterns.first().map(|p| p.text.clone()).unwrap_or_default();
            let findings: Vec<String> = c.findings.iter().map(|f| f.message.clone()).collect();
            vec![
                c.column.clone(),
                c.ty.clone(),
                share(c.nulls),
                share(c.unknowns),
                thousands(c.distinct),
                kind.unwrap_or_default(),
                pattern,
                findings.join("; "),
            ]
        })
        .collect();
    let head = ["column", "type", "null", "unknown", "distinct", "kind", "commonest shape", "findings"];
    output::line(&output::table(&head, &rows, &[2, 3, 4]));
}
