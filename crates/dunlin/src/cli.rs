//! The arguments of the command line. No logic: what they mean is in `commands/`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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

/// `dunlin profile`.
#[derive(Args)]
pub struct ProfileArgs {
    /// A store or file to profile without a plan.
    pub url: Option<String>,
    /// Only these tables.
    #[arg(long = "table", value_name = "TABLE")]
    pub tables: Vec<String>,
    /// Only about the first N rows of each table.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sample: Option<u64>,
    /// Count the rows that break the rules of this TOML file (`[[rule]]` with `name` and `check` or `unique`).
    #[arg(long, value_name = "FILE")]
    pub rules: Option<std::path::PathBuf>,
    /// Write the profile as one self-contained page as well.
    #[arg(long, value_name = "FILE")]
    pub html: Option<std::path::PathBuf>,
    /// Instead: watch for so long (`30m`, `12h`) how busy the plan's sources are, and keep it by hour of the week. `dunlin
    /// serve` does so all the time; do not run both.
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["url", "tables", "sample", "rules", "html"])]
    pub watch: Option<jiff::SignedDuration>,
}

/// `dunlin duplicates`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct DuplicatesArgs {
    /// One pair instead of all.
    #[command(subcommand)]
    pub command: Option<DuplicatesCommand>,
    /// What is compared.
    #[command(flatten)]
    pub compared: Option<ComparedArgs>,
    /// Rows are held for one from this probability on.
    #[arg(long, value_name = "P", default_value_t = 0.5, value_parser = probability)]
    pub above: f64,
    /// From this probability on, a pair is one to look at.
    #[arg(long, value_name = "P", default_value_t = 0.1, value_parser = probability)]
    pub review: f64,
    /// Write the rows that belong together into a CSV file.
    #[arg(long, value_name = "FILE")]
    pub out: Option<std::path::PathBuf>,
    /// The clear keys, if wanted.
    #[command(flatten)]
    pub clear: ClearArgs,
}

/// `dunlin duplicates …`.
#[derive(Subcommand)]
pub enum DuplicatesCommand {
    /// The pairs that the latest run left for a person.
    List {
        /// Those that were decided on as well.
        #[arg(long)]
        all: bool,
        /// The clear keys, if wanted.
        #[command(flatten)]
        clear: ClearArgs,
    },
    /// Show a pair side by side, with what merging would give; or, with a store and two keys, say why two rows are held
    /// for one, or not: how far each column agrees, and what that weighs.
    Show(PairArgs),
    /// The two rows of a pair are one: they are folded at once, or by the next run where that cannot be.
    Merge {
        /// The pair, as `dunlin duplicates list` calls it.
        #[arg(value_name = "PAIR", required = true)]
        pairs: Vec<String>,
    },
    /// The two rows of a pair are two, and nobody is asked again.
    Keep {
        /// The pair, as `dunlin duplicates list` calls it.
        #[arg(value_name = "PAIR", required = true)]
        pairs: Vec<String>,
    },
    /// Take back what was decided on a pair: they are two again.
    Undo {
        /// The pair, as `dunlin duplicates list --all` calls it.
        #[arg(value_name = "PAIR", required = true)]
        pairs: Vec<String>,
    },
}

/// `dunlin duplicates show`.
#[derive(Args)]
pub struct PairArgs {
    /// A pair of the latest run; or, with `--key`, a store or file.
    #[arg(value_name = "PAIR|URL")]
    pub place: String,
    /// With a store or file: the key of one row.
    #[arg(requires = "key")]
    pub one: Option<String>,
    /// The key of the other (with `--link`, in the second store).
    #[arg(requires = "key")]
    pub other: Option<String>,
    /// The column that names a row.
    #[arg(long, value_name = "COLUMN", requires_all = ["one", "other"])]
    pub key: Option<String>,
    /// The columns that are compared; else all but the key.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', requires = "key")]
    pub columns: Vec<String>,
    /// A second store or file that the other row is in.
    #[arg(long, value_name = "URL", requires = "key")]
    pub link: Option<String>,
    /// The table, where a store has several.
    #[arg(long, value_name = "TABLE", requires = "key")]
    pub table: Option<String>,
    /// The clear values of a pair, if wanted.
    #[command(flatten)]
    pub clear: ClearArgs,
}

/// The rows that are compared.
#[derive(Args)]
pub struct ComparedArgs {
    /// A store or file.
    #[arg(required = true)]
    pub url: String,
    /// The column that names a row.
    #[arg(long, value_name = "COLUMN", required = true)]
    pub key: String,
    /// The columns that are compared; else all but the key.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// A second store or file: rows are sought that both have, each with at most one partner.
    #[arg(long, value_name = "URL")]
    pub link: Option<String>,
    /// The table, where a store has several.
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
}

/// Whether keys are shown in the clear.
#[derive(Args)]
pub struct ClearArgs {
    /// Show keys in the clear; the access is entered into the ledger first, so this needs a workspace.
    #[arg(long, requires = "purpose")]
    pub clear: bool,
    /// Why you need them in the clear, e.g. `support: ticket 4711`.
    #[arg(long, value_name = "WHY")]
    pub purpose: Option<String>,
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(p) if p > 0.0 && p < 1.0 => Ok(p),
        _ => Err("a probability lies between 0 and 1, e.g. 0.95".to_owned()),
    }
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

/// `dunlin quarantine …`.
#[derive(Subcommand)]
pub enum QuarantineCommand {
    /// The groups that wait, by reason and pattern.
    List,
    /// Rows of a group, masked.
    Show {
        /// The group, from `list`.
        group: String,
        /// At most so many rows.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Show values in the clear; the access is entered into the ledger first.
        #[arg(long, requires = "purpose")]
        clear: bool,
        /// Why you need them in the clear.
        #[arg(long, value_name = "WHY")]
        purpose: Option<String>,
    },
    /// Set source columns by SQL and release: `--set "age = null"`.
    Fix {
        #[command(flatten)]
        which: Which,
        /// `COLUMN = SQL` over the source row; may be repeated.
        #[arg(long = "set", required = true, value_name = "COLUMN = SQL")]
        set: Vec<String>,
        /// Say what would happen, change nothing: values before and after by their shapes, and of some rows, masked.
        #[arg(long)]
        dry_run: bool,
        /// With --dry-run: of so many rows.
        #[arg(long, default_value_t = 5, requires = "dry_run")]
        rows: u32,
    },
    /// Try the rows of a group again as they are.
    Release {
        #[command(flatten)]
        which: Which,
        /// Say what would happen, change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Leave the rows of a group behind for good: they count as excluded.
    Discard {
        #[command(flatten)]
        which: Which,
        /// Say what would happen, change nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Rows that are decided on together.
#[derive(Args)]
pub struct Which {
    /// The groups, from `list`.
    #[arg(value_name = "GROUP", required_unless_present = "reason", conflicts_with = "reason")]
    pub groups: Vec<String>,
    /// Instead of groups: all that wait for this reason, whatever the shape of their values.
    #[arg(long, requires = "table", value_name = "REASON")]
    pub reason: Option<String>,
    /// With --reason: of this table.
    #[arg(long, requires = "reason", value_name = "TABLE")]
    pub table: Option<String>,
    /// With --reason: because of this column.
    #[arg(long, requires = "reason", value_name = "COLUMN")]
    pub column: Option<String>,
}

/// `dunlin report`.
#[derive(Args)]
pub struct ReportArgs {
    /// Where `report.html` and `report.json` go.
    #[arg(long, value_name = "DIR", default_value = "report")]
    pub out: PathBuf,
}

/// `dunlin ledger …`.
#[derive(Subcommand)]
pub enum LedgerCommand {
    /// Recompute everything; any change, removal or truncation is told.
    Verify {
        /// A checkpoint known outside this folder: a checkpoint file, or a report.json.
        #[arg(long, value_name = "FILE")]
        since: Vec<PathBuf>,
    },
    /// Every entry, one JSON object a line.
    Export,
    /// The inclusion proof of an entry, or the consistency proof between two sizes.
    Prove {
        /// The entry's index.
        #[arg(long, conflicts_with = "from")]
        entry: Option<u64>,
        /// The older size.
        #[arg(long)]
        from: Option<u64>,
        /// Check a customer's receipt instead; neither the ledger nor the stores are needed.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["entry", "from"])]
        receipt: Option<PathBuf>,
        /// The ledger's public key to check the receipt with; else the one that the plan pins, or this workspace's.
        #[arg(long, value_name = "KEY", requires = "receipt")]
        verifier: Option<String>,
    },
}

/// `dunlin keys …`.
#[derive(Subcommand)]
pub enum KeysCommand {
    /// The keys by purpose, without the keys.
    List,
    /// Make a new key for a purpose; what was made under older ones stays readable.
    Rotate {
        /// tokens, quarantine, sidecar, session, row_name or tombstone.
        purpose: String,
    },
    /// Write the keys to a file that only you can read.
    Export {
        /// The file.
        file: PathBuf,
    },
    /// Take the keys from a file made by `export`.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// The keys that letters are signed with (DKIM): what is to be put into the DNS.
    Dkim {
        /// Make new keys under this selector; letters are signed once there are some.
        #[arg(long, value_name = "SELECTOR")]
        new: Option<String>,
        /// The domain that letters come from; without it, that of `from` in [smtp] of server.toml.
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
    },
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

/// `dunlin notice …`.
#[derive(Subcommand)]
pub enum NoticeCommand {
    /// Write a first version into `notices/`, with a question wherever the plan does not say.
    Draft {
        /// Its name, the same in every language, e.g. 2026-move.
        #[arg(value_name = "NAME")]
        id: String,
        /// The language: en or es.
        #[arg(long, value_name = "LANG", default_value = "en")]
        lang: String,
        #[command(flatten)]
        dates: NoticeDates,
    },
    /// Hold notices against the plan: complete, legible, true. Exit 1 when one must not be published.
    Check {
        /// The files; without any, all of `notices/`.
        files: Vec<PathBuf>,
        #[command(flatten)]
        dates: NoticeDates,
    },
    /// Write the page and the e-mails of a notice as files, to be looked at.
    Preview {
        /// The notice.
        file: PathBuf,
        /// The folder to write into.
        #[arg(long, value_name = "DIR", default_value = "notice-preview")]
        out: PathBuf,
    },
    /// Hand a text in, so that somebody else can approve it.
    Submit {
        /// The notice.
        file: PathBuf,
        /// Do not ask whether its links answer.
        #[arg(long)]
        no_links: bool,
    },
    /// Stand for a text that was handed in, and so publish it; the server's people do so in the web app.
    Publish {
        /// The notice, as it was handed in.
        file: PathBuf,
        /// Do not ask whether its links answer.
        #[arg(long)]
        no_links: bool,
    },
    /// No longer show what is published.
    Withdraw {
        /// The notice.
        file: PathBuf,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// What changed between two versions, in a reader's words.
    Diff {
        /// The older file.
        old: PathBuf,
        /// The newer file.
        new: PathBuf,
    },
    /// Whom a notice is for: how many, in which languages, and whose address cannot be written to. Sends nothing.
    Audience {
        /// The notice.
        file: PathBuf,
        /// List the rows that no letter can go to, each with its `key` where the audience gives one; masked.
        #[arg(long)]
        unreachable: bool,
        /// The rows in the clear, if wanted.
        #[command(flatten)]
        clear: ClearArgs,
    },
    /// Send a message of a notice to its audience, each letter once; go on after any interruption with --resume.
    Send(NoticeSendArgs),
    /// How the messages of a notice fare, in numbers; decide about letters of which nobody knows whether they arrived.
    Deliveries {
        /// The notice.
        file: PathBuf,
        /// Decide about uncertain letters: `sent` counts them as sent, `again` sends them again (then --resume).
        #[arg(long, value_enum, requires = "message")]
        settle: Option<SettleWord>,
        /// Of which message.
        #[arg(long, value_name = "WHEN:DAYS")]
        message: Option<String>,
    },
    /// Read what came back: bounces and complaints, from a file, a mailbox folder, or `-` for the mail server's pipe.
    Bounces {
        /// A message, an mbox file, a folder of messages, or `-`.
        from: PathBuf,
    },
}

/// `dunlin notice send`.
#[derive(Args)]
pub struct NoticeSendArgs {
    /// The notice; its other languages, beside it, go to those who prefer them.
    pub file: PathBuf,
    /// Which of its messages, e.g. before:30; `before` is enough where there is one.
    #[arg(long, value_name = "WHEN[:DAYS]")]
    pub message: String,
    /// Write the letters as files into this folder instead of sending them.
    #[arg(long, value_name = "DIR")]
    pub to_outbox: Option<PathBuf>,
    /// Letters a minute at the beginning; the rate doubles with each hour's worth.
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// Connections to the mail server at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub connections: u16,
    /// How many recipients there must be; asked for on a terminal, needed elsewhere.
    #[arg(long, value_name = "N")]
    pub recipients: Option<u64>,
    /// Go on with a message that was begun; its recipients stay as they were.
    #[arg(long)]
    pub resume: bool,
    /// Do not wait for letters that are to be tried later: exit with 3 while there are some.
    #[arg(long)]
    pub no_wait: bool,
    #[command(flatten)]
    pub dates: NoticeDates,
}

/// What is decided about uncertain letters.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SettleWord {
    /// They count as sent.
    Sent,
    /// They are sent again.
    Again,
}

/// Days that the plan does not hold. Where none are given, `check` takes those that the notice was drafted with.
#[derive(Args)]
pub struct NoticeDates {
    /// The day the move begins.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub begins: Option<jiff::civil::Date>,
    /// The day it ends.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub ends: Option<jiff::civil::Date>,
    /// The day the copy at the old place is deleted.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub old_copy_until: Option<jiff::civil::Date>,
}

/// `dunlin serve`.
#[derive(Args)]
pub struct ServeArgs {
    /// Where to listen, e.g. 127.0.0.1:7411; port 0 takes a free one. Goes before `listen` of server.toml.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<std::net::SocketAddr>,
}

/// `dunlin login`.
#[derive(Args)]
pub struct LoginArgs {
    /// The server, e.g. https://dunlin.example
    pub server: String,
    /// Forget the token of this server instead.
    #[arg(long)]
    pub out: bool,
}

/// `dunlin user`.
#[derive(Subcommand)]
pub enum UserCommand {
    /// Everybody, with role and status.
    List,
    /// One person's record: sessions, grants, what they opened this week.
    Show {
        /// Address or id.
        person: String,
    },
    /// Invite somebody; prints the link, to be handed over in person.
    Invite {
        /// The address.
        email: String,
        /// The name; the address until they say another.
        #[arg(long)]
        name: Option<String>,
        /// owner, lead, engineer, steward, writer, approver, auditor or guest.
        #[arg(long)]
        role: String,
        /// Another company than ours.
        #[arg(long)]
        organisation: Option<String>,
    },
    /// Give somebody a role; their sessions end.
    Role {
        /// Address or id.
        person: String,
        /// The role.
        role: String,
    },
    /// Shut somebody out at once.
    Block {
        /// Address or id.
        person: String,
        /// Why: CATEGORY:TEXT, or a text.
        #[arg(long)]
        reason: String,
    },
    /// Let somebody in again.
    Unblock {
        /// Address or id.
        person: String,
        /// Why: CATEGORY:TEXT, or a text.
        #[arg(long)]
        reason: String,
    },
    /// Require a second factor of somebody, whatever their role.
    RequireMfa {
        /// Address or id.
        person: String,
        /// No longer, beyond what the role requires.
        #[arg(long)]
        no: bool,
    },
    /// End all sessions of somebody.
    EndSessions {
        /// Address or id.
        person: String,
    },
    /// Limit somebody to tables, or until a date.
    Limit {
        /// Address or id.
        person: String,
        /// These tables only (STORE.TABLE); repeat for several.
        #[arg(long = "table", value_name = "TABLE")]
        tables: Vec<String>,
        /// Until the end of this day, or this moment.
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
        /// Take all limits away.
        #[arg(long, conflicts_with_all = ["tables", "until"])]
        none: bool,
    },
}

/// `dunlin request …`.
#[derive(Subcommand)]
pub enum RequestCommand {
    /// Take a request in.
    Open(RequestOpenArgs),
    /// Every request, the most urgent first.
    List,
    /// One request.
    Show {
        /// The request, from `list`.
        id: String,
        /// Search the stores for the customer and count the rows.
        #[arg(long)]
        search: bool,
    },
    /// Grant it, refuse it, or note that the customer took it back.
    Decide(RequestDecideArgs),
    /// Do what was granted.
    CarryOut {
        /// The request.
        id: String,
        /// For access and portability: the folder that the copy is written to.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Where the receipt of an erasure is written.
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
    },
    /// Search every store for the customer and write a receipt of what was found.
    Receipt {
        /// The request.
        id: String,
        /// Where it is written.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The customer's key, once an erasure has forgotten it; `-` reads it from the standard input.
        #[arg(long, value_name = "KEY")]
        subject: Option<String>,
    },
}

/// `dunlin request open`.
#[derive(Args)]
pub struct RequestOpenArgs {
    /// access, portability, rectification, erasure, restriction, objection, consent_withdrawn or consent_given.
    #[arg(long)]
    pub kind: String,
    /// The customer, by the id that the plan's [subject] names; `-` reads it from the standard input.
    #[arg(long, value_name = "KEY", required_unless_present = "email", conflicts_with = "email")]
    pub subject: Option<String>,
    /// The customer, by an address that nobody else has; `-` reads it from the standard input.
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// gdpr, uk_gdpr, california, lgpd, virginia, colorado, connecticut, or none: no law, no deadline.
    #[arg(long, default_value = "gdpr")]
    pub law: String,
    /// The holidays that count: ES, DE, FR, IE, GB or US.
    #[arg(long, value_name = "COUNTRY", default_value = "ES")]
    pub calendar: String,
    /// The day it arrived; today without it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub received: Option<jiff::civil::Date>,
    /// Who deals with it.
    #[arg(long)]
    pub owner: Option<String>,
    /// For an objection or consent: the purpose, as the plan's tables name it; all without it.
    #[arg(long)]
    pub purpose: Option<String>,
    /// For a rectification: what shall stand where; may be repeated.
    #[arg(long = "set", value_name = "TABLE.COLUMN=VALUE")]
    pub set: Vec<String>,
    /// For a rectification: what shall be empty; may be repeated.
    #[arg(long = "unset", value_name = "TABLE.COLUMN")]
    pub unset: Vec<String>,
}

/// `dunlin request decide`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").args(["grant", "refuse", "withdraw", "identity", "owner"]).required(true).multiple(true))]
pub struct RequestDecideArgs {
    /// The request.
    pub id: String,
    /// Grant it.
    #[arg(long, conflicts_with_all = ["refuse", "withdraw"], requires = "reason")]
    pub grant: bool,
    /// Refuse it.
    #[arg(long, conflicts_with = "withdraw", requires = "reason")]
    pub refuse: bool,
    /// The customer took it back.
    #[arg(long, requires = "reason")]
    pub withdraw: bool,
    /// Why: CATEGORY:TEXT, or a text.
    #[arg(long)]
    pub reason: Option<String>,
    /// Whether the customer is who they say: confirmed or failed.
    #[arg(long)]
    pub identity: Option<String>,
    /// For how many hours a grant can be taken back before it is carried out.
    #[arg(long, value_name = "HOURS", default_value_t = 0)]
    pub undo_hours: u32,
    /// Who deals with it from now on.
    #[arg(long)]
    pub owner: Option<String>,
}
