//! What looks at data: `profile`, `duplicates`, `quarantine`, and what reveals values.

use clap::{Args, Subcommand};

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
