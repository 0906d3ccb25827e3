//! What the ledger says: one [`Entry`] for each decision, movement, look at data and statement.
//!
//! Not here: where entries are stored. An entry holds counts, codes, names of tables and hex hashes; never
//! customer values, sentences typed by people, network addresses or SQL literals.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened, in microseconds since 1970-01-01 UTC.
    pub at: i64,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    pub body: Body,
}

/// Who did what an entry says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Actor {
    /// Somebody at a shell of this machine: the operating system's word, not authenticated by dunlin.
    Local {
        /// Name of the operating system's user.
        user: String,
    },
    /// A person whom dunlin has authenticated.
    Person {
        /// The person's id, never a name or an address.
        id: String,
    },
    /// dunlin itself.
    System,
}

impl Actor {
    /// The operating system's user who runs this process.
    pub fn local() -> Actor {
        let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        let user = user.unwrap_or_default();
        let user: String = user.chars().filter(|c| !c.is_control()).take(64).collect();
        Actor::Local { user: if user.is_empty() { "unknown".to_owned() } else { user } }
    }

    /// Whether dunlin itself has checked who this is.
    pub fn is_authenticated(&self) -> bool {
        !matches!(self, Actor::Local { .. })
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Local { user } => write!(f, "local:{user} (unauthenticated)"),
            Actor::Person { id } => write!(f, "person:{id}"),
            Actor::System => f.write_str("dunlin"),
        }
    }
}

/// Rows by where they ended. `source_rows` must equal the sum of the other five.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Rows read from the source.
    pub source_rows: u64,
    /// Rows written to the target.
    pub loaded: u64,
    /// Duplicates folded into a survivor.
    pub merged: u64,
    /// Rows that wait for a person.
    pub quarantined: u64,
    /// Rows that the plan leaves out.
    pub excluded: u64,
    /// Rows that their customer asked to erase.
    pub erased: u64,
}

impl Counts {
    /// Whether every source row ended in exactly one disposition.
    pub fn balance(&self) -> bool {
        let ended = [self.loaded, self.merged, self.quarantined, self.excluded, self.erased];
        ended.iter().try_fold(0u64, |sum, n| sum.checked_add(*n)) == Some(self.source_rows)
    }

    /// Adds the counts of another split. Saturates, so that an impossible sum never balances by wrapping.
    pub fn add(&mut self, other: &Counts) {
        self.source_rows = self.source_rows.saturating_add(other.source_rows);
        self.loaded = self.loaded.saturating_add(other.loaded);
        self.merged = self.merged.saturating_add(other.merged);
        self.quarantined = self.quarantined.saturating_add(other.quarantined);
        self.excluded = self.excluded.saturating_add(other.excluded);
        self.erased = self.erased.saturating_add(other.erased);
    }
}

/// How an amendment moved rows between dispositions; the fields of an honest one sum to zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CountsDelta {
    /// Change of the loaded rows.
    pub loaded: i64,
    /// Change of the merged rows.
    pub merged: i64,
    /// Change of the quarantined rows.
    pub quarantined: i64,
    /// Change of the excluded rows.
    pub excluded: i64,
    /// Change of the erased rows.
    pub erased: i64,
}

/// What a person decided on quarantined rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Loaded as they are.
    Released,
    /// Corrected and loaded.
    Fixed,
    /// Left out for good.
    Discarded,
}

/// What an entry says. Hashes are lower-case hex, codes are `[a-z0-9_.:-]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs)] // the fields say what they are, and each is described in the user's guide
pub enum Body {
    /// The first entry of every ledger.
    LedgerCreated { workspace: String },
    /// A run began; `stores` maps each store's name in the plan to its identity.
    RunStarted { run: String, plan_fingerprint: String, rehearse: bool, stores: BTreeMap<String, String> },
    /// An unfinished run went on.
    RunResumed { run: String },
    /// A run stopped where it can go on; `reason_code` is a code.
    RunPaused { run: String, reason_code: String },
    /// A run came to its end.
    RunFinished { run: String, reconciled: bool },
    /// A person gave an unfinished run up.
    RunAbandoned { run: String },
    /// A split's rows and receipt are in the target.
    SplitLoaded {
        run: String,
        table: String,
        split: u32,
        counts: Counts,
        source_hash: String,
        /// Multiset hash, in source space, of the rows that were loaded.
        loaded_hash: String,
        expected_hash: String,
        /// Hash of the quarantine fragment, when rows were quarantined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fragment: Option<String>,
    },
    /// Rows changed their disposition after their split was loaded.
    SplitAmended {
        run: String,
        table: String,
        amendment: u32,
        counts_delta: CountsDelta,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fragment: Option<String>,
    },
    /// A table's two sides were held against each other at the end of a run.
    TableReconciled {
        run: String,
        table: String,
        counts: Counts,
        source_hash: String,
        expected_hash: String,
        target_hash: String,
        reconciled: bool,
    },
    /// The same, later, by `verify`.
    Verified {
        run: String,
        table: String,
        counts: Counts,
        source_hash: String,
        expected_hash: String,
        target_hash: String,
        reconciled: bool,
    },
    /// What a run had loaded into a table was taken back.
    Undone { run: String, table: String, rows: u64 },
    /// dunlin's bookkeeping was removed from a target.
    TargetFinished { store: String },
    /// Loaded rows got what came later.
    Enriched { run: String, table: String, rows: u64 },
    /// A person decided on quarantined rows; `root` is a hash over the rows' places.
    QuarantineDecided { run: String, table: String, decision: Decision, rows: u64, root: String },
    /// A plan may write to these stores; `by` is a person's id or a local user.
    PlanApproved { fingerprint: String, stores: BTreeMap<String, String>, by: String },
    /// A run moved outside its window; the reason's text is in the state.
    WindowOverridden { run: String, reason_category: String, reason_hash: String },
    /// A purpose got a new key.
    KeysRotated { purpose: String, key_id: String },
    /// The evidence was written.
    ReportWritten { sha256: String },
    /// Somebody is about to see customer data: durable before the first row leaves.
    AccessOpened {
        access: String,
        purpose_category: String,
        purpose_hash: String,
        store: String,
        table: String,
        columns: Vec<String>,
        /// Column to mask; a column that is shown in clear is absent.
        masks: BTreeMap<String, String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
    },
    /// Rows are about to leave; `root` is the Merkle root of their names.
    AccessRows { access: String, count: u64, root: String },
    /// An access ended.
    AccessClosed { access: String, rows: u64 },
    /// Somebody asked for what the policy does not allow.
    AccessDenied { action: String, store: String, table: String, reason_code: String },
    /// A person was added: by the first set-up, an invitation, an identity provider or a shell.
    PersonAdded { person: String, role: String, organisation: String },
    /// Something about a person changed; `change` is a code, e.g. `role:engineer`.
    PersonChanged { person: String, change: String },
    /// A person may do nothing more until unblocked.
    PersonBlocked { person: String, reason_category: String, reason_hash: String },
    /// A blocked person may come back.
    PersonUnblocked { person: String, reason_category: String, reason_hash: String },
    /// A note was added to a person's investigation; its text is in the state.
    PersonNoted { person: String, note_hash: String },
    /// A password, passkey, one-time-code or set of recovery codes was added, changed, used or removed.
    CredentialChanged { person: String, credential: String, change: String },
    /// A person came in.
    SignedIn { person: String, session: String, method: String },
    /// A known person's sign-in was refused. Guesses at unknown accounts are counted in the state alone.
    SignInRefused { person: String, reason_code: String },
    /// A session ended: signed out, killed, expired, or its person blocked.
    SessionEnded { person: String, session: String, reason_code: String },
    /// Somebody was invited.
    Invited { invitation: String, role: String },
    /// An invitation was accepted.
    InvitationAccepted { invitation: String, person: String },
    /// An invitation was withdrawn.
    InvitationWithdrawn { invitation: String },
    /// A token for a program was issued to a person; `until` is in microseconds since 1970 UTC.
    TokenIssued { token: String, person: String, scopes: Vec<String>, until: i64 },
    /// A token was taken back.
    TokenRevoked { token: String, reason_code: String },
    /// A person may do more than the role says, for a task, until it ends.
    GrantOpened {
        grant: String,
        person: String,
        task: String,
        action: String,
        store: String,
        table: String,
        /// The columns that it reaches; every one that is not secret, when empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        columns: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<i64>,
        purpose_category: String,
        purpose_hash: String,
    },
    /// One of the two people whom a grant over secret data needs has agreed.
    GrantAgreed { grant: String, group: String },
    /// A grant ended.
    GrantClosed { grant: String, reason_code: String },
    /// The policies changed; `fingerprint` is the SHA-256 of their text.
    PolicyChanged { fingerprint: String },
    /// The plan file was changed through the server.
    PlanEdited { fingerprint: String, previous: String },
    /// An approval no longer holds: the plan was edited, it was withdrawn, or its time is over.
    ApprovalVoided { fingerprint: String, reason_code: String },
    /// Something unusual was seen; `rule` names the alert's rule.
    AlertRaised {
        alert: String,
        rule: String,
        severity: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<String>,
    },
    /// Somebody dealt with an alert.
    AlertClosed { alert: String, decision: String },
    /// Connections to a store that do not pass by dunlin were seen.
    OutsideSeen { store: String, connections: u64 },
    /// Entries of the ledger were exported.
    LedgerExported { sha256: String, entries: u64 },
    /// Somebody searched the ledger; `filter` is the salted hash of what they asked for.
    LedgerRead { filter: String, entries: u64 },
    /// The ledger's public key is another one than before; both are hashes of the verifier's text.
    LedgerKeyChanged { previous: String, verifier: String },
    /// What the state kept longer than the rules allow was deleted, e.g. `texts` or `addresses`.
    Shredded { class: String, rows: u64 },
    /// Tasks were changed; `root` is a salted hash over what was, and became. Texts are in the state.
    WorkChanged { change: String, tasks: u64, root: String },
    /// A person stands for a step of the migration that dunlin cannot see itself; no table for the whole project.
    StepConfirmed { step: String, table: String, part: String },
    /// That word was taken back.
    StepWithdrawn { step: String, table: String, part: String },
    /// How a table of the plan is now: hashes of its mapping and of its stores' columns (empty when unknown), and the
    /// source columns that have no fate.
    TableSeen { table: String, fingerprint: String, mapping: String, schema: String, undecided: Vec<String> },
    /// A table was tried out without writing to its target.
    Rehearsed { table: String, fingerprint: String, counts: Counts, reconciled: bool },
    /// A table was looked at: its rows and columns.
    TableProfiled { table: String, rows: u64, columns: u64 },
    /// The groups of quarantined rows of a table that wait, with their rows.
    QuarantineSeen { table: String, groups: BTreeMap<String, u64> },
    /// A server began to serve this workspace.
    ServerStarted { version: String },
    /// It stopped in order.
    ServerStopped,
    /// A text for customers was handed in; `sha256` is its hash, `facts` the fingerprint of what it states.
    NoticeSubmitted { notice: String, locale: String, version: u64, sha256: String, facts: String },
    /// Somebody other than who wrote it stands for a text; `fingerprint` is the plan's.
    NoticeApproved { notice: String, locale: String, version: u64, sha256: String, fingerprint: String },
    /// Customers may read it from now on.
    NoticePublished { notice: String, locale: String, version: u64, sha256: String },
    /// A finding about a text that was published was set aside; the reason's text is in the state.
    NoticeOverridden { notice: String, locale: String, version: u64, rule: String, reason_hash: String },
    /// A text is no longer shown, or was taken back before it was published.
    NoticeWithdrawn {
        notice: String,
        locale: String,
        version: u64,
        published: bool,
        reason_category: String,
        reason_hash: String,
    },
    /// A person whom the host app named answered; `subject` is a salted name that ends with the person's salt.
    NoticeAnswered { notice: String, version: u64, choice: String, subject: String },
    /// A run moved although a notice that must precede it was not published; `run` is the plan's fingerprint.
    NoticeSkipped { run: String, notice: String, reason_category: String, reason_hash: String },
    /// A customer asked for something. `request_kind` and `law` are codes; `subject` names the customer by a hash under
    /// the customer's salt.
    RequestOpened {
        request: String,
        request_kind: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        law: Option<String>,
        subject: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<i64>,
    },
    /// A request was decided on, or withdrawn; the reason's text is in the state.
    RequestDecided { request: String, decision: String, reason_category: String, reason_hash: String },
    /// Who asked was checked, or not found to be who they say.
    RequestIdentity { request: String, outcome: String },
    /// A request limits what moves, or corrects it: `effect` is `restriction`, `objection`, `consent_withdrawn`,
    /// `consent_given` or `correction`; rows are those that it changed at once.
    SubjectMarked { request: String, effect: String, rows: u64 },
    /// A customer's rows are gone: how many, by place (`target:atlas`, `quarantine`, …), and the commitment to the list.
    SubjectErased { request: String, subject: String, rows: BTreeMap<String, u64>, root: String },
    /// A customer got a copy of what is kept of them.
    SubjectExported { request: String, rows: u64 },
    /// Every store that dunlin knows was searched for a customer. `commitment` is the SHA-256 of a salt and a statement
    /// that the customer holds; `rows` is what was found, by place.
    SubjectVerified { request: String, commitment: String, rows: BTreeMap<String, u64> },
    /// A request is answered.
    RequestClosed { request: String, outcome: String },
    /// A message of a notice has gone out, as far as it will by itself; `root` is over the keyed hashes of those it
    /// was sent to. recipients = sent + failed + suppressed + uncertain; `invalid` rows had no address to write to.
    MessageSent {
        notice: String,
        version: u32,
        message: String,
        transport: String,
        recipients: u64,
        sent: u64,
        failed: u64,
        suppressed: u64,
        uncertain: u64,
        invalid: u64,
        root: String,
    },
    /// What became of deliveries afterwards: `change` is `bounced`, `complained`, `received`, `unsubscribed`, or what a
    /// person decided about uncertain ones, `counted_sent` or `sent_again`; `root` is over their keyed hashes.
    DeliveriesSettled { change: String, count: u64, root: String },
    /// Everything about tables that were taken over as they are was held against the source: how many things are said
    /// about them there, how many of those are `missing` in the target, and how many large objects came with their rows.
    DefinitionsMoved { run: String, store: String, tables: u64, parts: u64, missing: u64, objects: u64 },
    /// A way to a copy of a customer's data was made, good once and for minutes: `letter`, sent to where the customer is
    /// written to, or `hand`, given to whoever made it to be handed on.
    RequestCopyOffered { request: String, by: String },
    /// A rule of a pack was set aside, in the plan or by a command; the reason's text is in the state. `rule` is its id
    /// in small letters, `until` the last day it holds, as `2027-06-30`.
    RuleWaived {
        rule: String,
        waiver: String,
        reason_hash: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    /// That was taken back.
    WaiverWithdrawn { waiver: String, rule: String },
    /// The plan was held against its packs: how many rules ended how; `sha256` is over the whole matrix.
    PacksChecked { fingerprint: String, packs: Vec<String>, states: BTreeMap<String, u64>, sha256: String },
    /// A de-identified copy was read again by the detectors: how many values, and what was found by rule, in small
    /// letters.
    CopyExamined { run: String, values: u64, found: BTreeMap<String, u64> },
    /// A table was looked through for duplicates before its load: `merged` rows fold into the survivors of `clusters`,
    /// `waiting` pairs are for a person. `crosswalk` is the hash of which row folds into which.
    DuplicatesMatched {
        run: String,
        table: String,
        clusters: u64,
        merged: u64,
        waiting: u64,
        crosswalk: String,
    },
    /// A person decided on a pair: `decision` is `merge`, `keep` or `undo`; `pair` is a keyed hash of both keys.
    DuplicateDecided { run: String, table: String, pair: String, decision: String },
    /// A store was lost for a moment, and the run goes on by itself: its `attempt`th time of at most `attempts`, after
    /// `wait_seconds`.
    RunRetried { run: String, attempt: u32, attempts: u32, wait_seconds: u64 },
    /// The control totals of a table were compared: how many sums, whether all of them agree, and the hash of the figures.
    TotalsCompared { run: String, table: String, figures: u64, agree: bool, sha256: String },
    /// How many rows of a de-identified copy share what still tells people apart in these columns: rows by the size of their
    /// group (`1`, `2-4`, `5-10`, `more`), and the smallest group.
    CopyGrouped {
        run: String,
        table: String,
        columns: Vec<String>,
        rows: BTreeMap<String, u64>,
        smallest: u64,
    },
}

/// Why an entry cannot enter the ledger. Names the field, never its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A code holds more than `[a-z0-9_.:-]`, or is empty or too long: it may be a sentence.
    #[error("`{0}` of a ledger entry must be a code of 1 to 64 characters of a-z 0-9 _ . : -")]
    NotACode(&'static str),
    /// A hash is not lower-case hex.
    #[error("`{0}` of a ledger entry must be lower-case hex")]
    NotAHash(&'static str),
    /// The entry cannot be written as canonical JSON.
    #[error("a ledger entry could not be written as canonical JSON")]
    Unwritable,
    /// The bytes are not an entry that this version knows.
    #[error("these bytes are not a ledger entry that this version of dunlin knows")]
    Unreadable,
}

impl Entry {
    /// The canonical bytes (RFC 8785) that are hashed and stored.
    ///
    /// Fails when a code or a hash is not one, which keeps sentences and values out.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EntryError> {
        self.body.check()?;
        serde_json_canonicalizer::to_vec(self).map_err(|_| EntryError::Unwritable)
    }

    /// Reads an entry back. Fails on kinds that this version does not know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Entry, EntryError> {
        serde_json::from_slice(bytes).map_err(|_| EntryError::Unreadable)
    }
}

impl Body {
    /// Refuses what is neither a code nor a hash where one is due.
    fn check(&self) -> Result<(), EntryError> {
        match self {
            Body::RunStarted { plan_fingerprint, .. } => hash("plan_fingerprint", plan_fingerprint),
            Body::RunPaused { reason_code, .. } => code("reason_code", reason_code),
            Body::SplitLoaded { source_hash, loaded_hash, expected_hash, fragment, .. } => {
                hash("source_hash", source_hash)?;
                hash("loaded_hash", loaded_hash)?;
                hash("expected_hash", expected_hash)?;
                fragment.as_deref().map_or(Ok(()), |h| hash("fragment", h))
            }
            Body::SplitAmended { fragment, .. } => {
                fragment.as_deref().map_or(Ok(()), |h| hash("fragment", h))
            }
            Body::TableReconciled { source_hash, expected_hash, target_hash, .. }
            | Body::Verified { source_hash, expected_hash, target_hash, .. } => {
                hash("source_hash", source_hash)?;
                hash("expected_hash", expected_hash)?;
                hash("target_hash", target_hash)
            }
            Body::QuarantineDecided { root, .. } | Body::AccessRows { root, .. } => hash("root", root),
            Body::PlanApproved { fingerprint, .. } => hash("fingerprint", fingerprint),
            Body::WindowOverridden { reason_category, reason_hash, .. } => {
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            Body::KeysRotated { purpose, key_id } => {
                code("purpose", purpose)?;
                code("key_id", key_id)
            }
            Body::ReportWritten { sha256 } => hash("sha256", sha256),
            Body::AccessOpened { purpose_category, purpose_hash, .. } => {
                code("purpose_category", purpose_category)?;
                hash("purpose_hash", purpose_hash)
            }
            _ => self.check_guard(),
        }
    }

    /// The same for what concerns people.
    fn check_guard(&self) -> Result<(), EntryError> {
        match self {
            Body::AccessDenied { action, reason_code, .. } => {
                code("action", action)?;
                code("reason_code", reason_code)
            }
            Body::PersonAdded { role, organisation, .. } => {
                code("role", role)?;
                code("organisation", organisation)
            }
            Body::PersonChanged { change, .. } => code("change", change),
            Body::PersonBlocked { reason_category, reason_hash, .. }
            | Body::PersonUnblocked { reason_category, reason_hash, .. } => {
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            Body::PersonNoted { note_hash, .. } => hash("note_hash", note_hash),
            Body::CredentialChanged { credential, change, .. } => {
                code("credential", credential)?;
                code("change", change)
            }
            Body::SignedIn { method, .. } => code("method", method),
            Body::SignInRefused { reason_code, .. }
            | Body::SessionEnded { reason_code, .. }
            | Body::TokenRevoked { reason_code, .. }
            | Body::GrantClosed { reason_code, .. } => code("reason_code", reason_code),
            Body::Invited { role, .. } => code("role", role),
            Body::TokenIssued { scopes, .. } => scopes.iter().try_for_each(|s| code("scopes", s)),
            Body::GrantOpened { action, purpose_category, purpose_hash, .. } => {
                code("action", action)?;
                code("purpose_category", purpose_category)?;
                hash("purpose_hash", purpose_hash)
            }
            Body::GrantAgreed { group, .. } => code("group", group),
            Body::PolicyChanged { fingerprint } => hash("fingerprint", fingerprint),
            Body::PlanEdited { fingerprint, previous } => {
                hash("fingerprint", fingerprint)?;
                hash("previous", previous)
            }
            Body::ApprovalVoided { fingerprint, reason_code } => {
                hash("fingerprint", fingerprint)?;
                code("reason_code", reason_code)
            }
            Body::AlertRaised { rule, severity, .. } => {
                code("rule", rule)?;
                code("severity", severity)
            }
            Body::AlertClosed { decision, .. } => code("decision", decision),
            Body::LedgerExported { sha256, .. } => hash("sha256", sha256),
            Body::LedgerRead { filter, .. } => hash("filter", filter),
            Body::LedgerKeyChanged { previous, verifier } => {
                hash("previous", previous)?;
                hash("verifier", verifier)
            }
            Body::Shredded { class, .. } => code("class", class),
            Body::WorkChanged { root, .. } => hash("root", root),
            Body::Rehearsed { fingerprint, .. } => hash("fingerprint", fingerprint),
            Body::StepConfirmed { step, .. } | Body::StepWithdrawn { step, .. } => code("step", step),
            Body::TableSeen { fingerprint, mapping, schema, .. } => {
                hash("fingerprint", fingerprint)?;
                hash("mapping", mapping)?;
                hash("schema", schema)
            }
            Body::ServerStarted { version } => code("version", version),
            _ => self.check_tell(),
        }
    }

    /// The same for what customers are told.
    fn check_tell(&self) -> Result<(), EntryError> {
        match self {
            Body::NoticeSubmitted { notice, locale, sha256, facts, .. } => {
                named(notice, locale)?;
                hash("sha256", sha256)?;
                hash("facts", facts)
            }
            Body::NoticeApproved { notice, locale, sha256, fingerprint, .. } => {
                named(notice, locale)?;
                hash("sha256", sha256)?;
                hash("fingerprint", fingerprint)
            }
            Body::NoticePublished { notice, locale, sha256, .. } => {
                named(notice, locale)?;
                hash("sha256", sha256)
            }
            Body::NoticeOverridden { notice, locale, rule, reason_hash, .. } => {
                named(notice, locale)?;
                code("rule", rule)?;
                hash("reason_hash", reason_hash)
            }
            Body::NoticeWithdrawn { notice, locale, reason_category, reason_hash, .. } => {
                named(notice, locale)?;
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            Body::NoticeAnswered { notice, choice, subject, .. } => {
                code("notice", notice)?;
                code("choice", choice)?;
                hash("subject", subject)
            }
            Body::NoticeSkipped { run, notice, reason_category, reason_hash } => {
                hash("run", run)?;
                code("notice", notice)?;
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            _ => self.check_requests(),
        }
    }

    /// The same for what customers ask for.
    fn check_requests(&self) -> Result<(), EntryError> {
        match self {
            Body::RequestOpened { request_kind, law, subject, .. } => {
                code("request_kind", request_kind)?;
                law.as_deref().map_or(Ok(()), |l| code("law", l))?;
                hash("subject", subject)
            }
            Body::RequestDecided { decision, reason_category, reason_hash, .. } => {
                code("decision", decision)?;
                code("reason_category", reason_category)?;
                hash("reason_hash", reason_hash)
            }
            Body::RequestIdentity { outcome, .. } | Body::RequestClosed { outcome, .. } => {
                code("outcome", outcome)
            }
            Body::RequestCopyOffered { by, .. } => code("by", by),
            Body::SubjectMarked { effect, .. } => code("effect", effect),
            Body::SubjectErased { subject, root, .. } => {
                hash("subject", subject)?;
                hash("root", root)
            }
            Body::SubjectVerified { commitment, .. } => hash("commitment", commitment),
            _ => self.check_sending(),
        }
    }

    /// The same for what was sent.
    fn check_sending(&self) -> Result<(), EntryError> {
        match self {
            Body::MessageSent { message, transport, root, .. } => {
                code("message", message)?;
                code("transport", transport)?;
                hash("root", root)
            }
            Body::DeliveriesSettled { change, root, .. } => {
                code("change", change)?;
                hash("root", root)
            }
            _ => self.check_latest(),
        }
    }

    /// The same for packs and duplicates.
    fn check_latest(&self) -> Result<(), EntryError> {
        match self {
            Body::RuleWaived { rule, reason_hash, until, .. } => {
                code("rule", rule)?;
                until.as_deref().map_or(Ok(()), |day| code("until", day))?;
                hash("reason_hash", reason_hash)
            }
            Body::WaiverWithdrawn { rule, .. } => code("rule", rule),
            Body::PacksChecked { fingerprint, packs, states, sha256 } => {
                packs.iter().chain(states.keys()).try_for_each(|word| code("packs", word))?;
                hash("fingerprint", fingerprint)?;
                hash("sha256", sha256)
            }
            Body::CopyExamined { found, .. } => found.keys().try_for_each(|rule| code("found", rule)),
            Body::CopyGrouped { rows, .. } => rows.keys().try_for_each(|size| code("rows", size)),
            Body::TotalsCompared { sha256, .. } => hash("sha256", sha256),
            Body::DuplicatesMatched { crosswalk, .. } => hash("crosswalk", crosswalk),
            Body::DuplicateDecided { pair, decision, .. } => {
                hash("pair", pair)?;
                code("decision", decision)
            }
            _ => Ok(()),
        }
    }
}

/// A notice's name and language; both are codes, the language in small letters.
fn named(notice: &str, locale: &str) -> Result<(), EntryError> {
    code("notice", notice)?;
    code("locale", locale)
}

fn code(field: &'static str, text: &str) -> Result<(), EntryError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.:-".contains(c);
    let good = (1..=64).contains(&text.len()) && text.chars().all(plain);
    if good { Ok(()) } else { Err(EntryError::NotACode(field)) }
}

fn hash(field: &'static str, text: &str) -> Result<(), EntryError> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let good = text.len() <= 1024 && text.len().is_multiple_of(2) && text.chars().all(hex);
    if good { Ok(()) } else { Err(EntryError::NotAHash(field)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paused(reason: &str) -> Entry {
        let body = Body::RunPaused { run: "r1".into(), reason_code: reason.into() };
        Entry { at: 1_796_083_200_000_000, actor: Actor::Local { user: "ana".into() }, body }
    }

    #[test]
    fn bytes_are_canonical_and_come_back() {
        let entry = paused("window_closed");
        let bytes = entry.to_bytes().unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes.clone()).unwrap(), @r#"{"actor":{"type":"local","user":"ana"},"at":1796083200000000,"body":{"kind":"run_paused","reason_code":"window_closed","run":"r1"}}"#);
        assert_eq!(Entry::from_bytes(&bytes).unwrap(), entry);
    }

    #[test]
    fn a_sentence_is_no_code_and_is_not_repeated() {
        let error = paused("Ana Ruiz telephoned, tel. 600 123 123").to_bytes().unwrap_err();
        insta::assert_snapshot!(error, @"`reason_code` of a ledger entry must be a code of 1 to 64 characters of a-z 0-9 _ . : -");
        let body = Body::ReportWritten { sha256: "SECRET".into() };
        let error = Entry { at: 0, actor: Actor::System, body }.to_bytes().unwrap_err();
        insta::assert_snapshot!(error, @"`sha256` of a ledger entry must be lower-case hex");
    }

    #[test]
    fn counts_balance_only_when_every_row_ended_once() {
        let mut counts = Counts { source_rows: 10, loaded: 8, quarantined: 2, ..Counts::default() };
        assert!(counts.balance());
        counts.add(&Counts { source_rows: 3, loaded: 2, ..Counts::default() });
        assert!(!counts.balance());
        let wrapping = Counts { source_rows: 0, loaded: u64::MAX, merged: 1, ..Counts::default() };
        assert!(!wrapping.balance());
    }
}
