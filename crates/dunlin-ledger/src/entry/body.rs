//! All that an entry may say. New kinds come last; what stands here is never changed, for ledgers hold it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Counts, CountsDelta, Decision};

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
