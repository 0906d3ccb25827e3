//! The arguments of the command line. No logic: what they mean is in `commands/`.

mod data;
mod notice;
mod people;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use data::*;
pub use notice::*;
pub use people::*;

/// Moves customer data from the system a company is leaving to the one it has chosen, and proves it.
#[derive(Parser)]
#[command(name = "dunlin", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done and every row accounted for; 1 something does not reconcile; 2 the plan, the \
command line or the policy says no, nothing was touched; 3 a store could not be reached, run again to go on."
)]
pub struct Cli {
    /// The workspace: the folder that holds `dunlin.toml`.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Make a dirty legacy CRM, migrate it, verify it, write the report.
    Demo(DemoArgs),
    /// Read both schemas and draft a plan.
    Init(InitArgs),
    /// Hold the plan against the stores, without moving anything.
    Check,
    /// Say what is in the data: unknowns, patterns, sensitive kinds.
    Profile(ProfileArgs),
    /// Say who is in a table twice, of any store or file; no plan is needed.
    Duplicates(DuplicatesArgs),
    /// Move the data, or rehearse it.
    Run(RunArgs),
    /// Read both sides again and reconcile; name every differing key.
    Verify(VerifyArgs),
    /// Take back what a run loaded, children first.
    Undo(UndoArgs),
    /// Verify, then remove dunlin's bookkeeping from the targets.
    Finish,
    /// Add what the plan enriches after the load.
    Enrich,
    /// The API and the pages of this workspace, until it is stopped.
    Serve(ServeArgs),
    /// People, and what they may do.
    #[command(subcommand)]
    User(UserCommand),
    /// Sign this machine in at a server, for `plan approve --server`.
    Login(LoginArgs),
    /// The rows that wait for a person.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Write the evidence: one self-contained HTML page and the JSON behind it.
    Report(ReportArgs),
    /// The signed, tamper-evident record of what happened.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// The workspace's keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The plan as a document: what changed, and who approved it.
    #[command(subcommand)]
    Plan(PlanCommand),
    /// What customers are told: drafted from the plan, held against it, looked at, compared.
    #[command(subcommand)]
    Notice(NoticeCommand),
    /// What customers ask for: taken in, decided on, carried out, with a receipt.
    #[command(subcommand)]
    Request(RequestCommand),
    /// Set a rule of a pack aside, with a reason and an end; without a rule, list what is set aside.
    Waive(WaiveArgs),
    /// Can each store be reached, read and written? What is missing, with the exact GRANT.
    Doctor,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `dunlin demo`.
#[derive(Args)]
pub struct DemoArgs {
    /// Do not serve the web app on it afterwards.
    #[arg(long)]
    pub no_serve: bool,
    /// How many customers to make.
    #[arg(long, default_value_t = crate::demo::CUSTOMERS)]
    pub customers: u64,
}

/// `dunlin init`.
#[derive(Args)]
pub struct InitArgs {
    /// The store to leave: sqlite:PATH, file:PATH, postgres://…, or env:NAME.
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// The store to move to.
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// The plan's name.
    #[arg(long, default_value = "Migration")]
    pub name: String,
    /// Overwrite a plan that is there.
    #[arg(long)]
    pub force: bool,
}

/// `dunlin waive`.
#[derive(Args)]
pub struct WaiveArgs {
    /// The rule's id, as `dunlin check` shows it, e.g. GDPR-05b.
    #[arg(conflicts_with = "withdraw")]
    pub rule: Option<String>,
    /// Why, so that an auditor can follow.
    #[arg(long, value_name = "WHY", requires = "rule")]
    pub reason: Option<String>,
    /// The last day it holds, e.g. 2027-06-30.
    #[arg(long, value_name = "DAY", requires = "rule")]
    pub until: Option<jiff::civil::Date>,
    /// Take a waiver back that was given by this command.
    #[arg(long, value_name = "ID")]
    pub withdraw: Option<String>,
}

/// `dunlin run`.
#[derive(Args)]
pub struct RunArgs {
    /// Do everything but the writing, or write into a copy (`--to`).
    #[arg(long)]
    pub rehearse: bool,
    /// The copy that a rehearsal writes into; personal columns arrive de-identified.
    #[arg(long, requires = "rehearse", value_name = "URL")]
    pub to: Option<String>,
    /// Only these tables (as the plan calls the target, e.g. atlas.people).
    #[arg(long = "table", value_name = "TABLE")]
    pub tables: Vec<String>,
    /// Splits at work at the same time.
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Exit with 1 when rows went to quarantine.
    #[arg(long)]
    pub strict: bool,
    /// Stop cleanly when more than N rows go to quarantine.
    #[arg(long, value_name = "N")]
    pub max_quarantine: Option<u64>,
    /// Run outside the plan's window; the reason is kept, and entered in the ledger as a salted hash.
    #[arg(long, value_name = "REASON")]
    pub now: Option<String>,
    /// Outside the window, exit with 3 instead of waiting.
    #[arg(long)]
    pub no_wait: bool,
    /// Go on by itself up to N times when a store was lost for a moment: a connection that broke, a lock waited for in vain.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub retry: u32,
    /// Tell OpenLineage events of the run: append them to a file, or post them to an http(s) address.
    #[arg(long, value_name = "FILE|URL")]
    pub lineage: Option<String>,
    /// Refuse to run unless the plan has this fingerprint.
    #[arg(long, value_name = "HEX")]
    pub fingerprint: Option<String>,
    /// Go on with this unfinished run by the plan it was begun with.
    #[arg(long, value_name = "RUN", conflicts_with = "abandon")]
    pub resume: Option<String>,
    /// Leave this unfinished run as it is and begin a new one.
    #[arg(long, value_name = "RUN")]
    pub abandon: Option<String>,
}

/// `dunlin verify`.
#[derive(Args)]
pub struct VerifyArgs {
    /// Only these tables.
    #[arg(long = "table", value_name = "TABLE")]
    pub tables: Vec<String>,
    /// Show keys and values in the clear; the access is entered into the ledger first.
    #[arg(long, requires = "purpose")]
    pub clear: bool,
    /// Why you need them in the clear, e.g. `support: ticket 4711`.
    #[arg(long, value_name = "WHY")]
    pub purpose: Option<String>,
    /// Splits read at the same time.
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
}

/// `dunlin undo`.
#[derive(Args)]
pub struct UndoArgs {
    /// The run to take back.
    #[arg(long, value_name = "RUN")]
    pub run: String,
}

/// `dunlin report`.
#[derive(Args)]
pub struct ReportArgs {
    /// Where `report.html` and `report.json` go.
    #[arg(long, value_name = "DIR", default_value = "report")]
    pub out: PathBuf,
}

/// `dunlin plan …`.
#[derive(Subcommand)]
pub enum PlanCommand {
    /// What changed between two plans, in the plan's own terms.
    Diff {
        /// The other plan: a file, or `run:ID` for the plan of a run. Without it: the plan of the latest run.
        other: Option<String>,
    },
    /// Approve the plan's fingerprint for the stores as they are now.
    Approve {
        /// The fingerprint that is approved; it must be the plan's.
        #[arg(long, value_name = "HEX")]
        fingerprint: String,
        /// Approve at this server, in the name of whoever signed in there with `dunlin login`.
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
    /// Print the plan's fingerprint.
    Fingerprint,
    /// Print the JSON Schema of plan files, for editors.
    Schema,
}
