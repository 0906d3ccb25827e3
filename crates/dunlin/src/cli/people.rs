//! Who may do what: `serve`, `login`, `user`, `keys`, `ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
