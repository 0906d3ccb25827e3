//! What customers are told: `notice` and `request`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::ClearArgs;

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
