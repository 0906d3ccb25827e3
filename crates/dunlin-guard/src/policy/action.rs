//! Everything that the API can do, each with a stable code. The same codes name the actions of the Cedar schema,
//! the scopes of tokens and `x-dunlin-action` of the OpenAPI file.
//!
//! Not here: who may do it, which the policies say; and acts on customer data, which are [`dunlin_gate::Act`].

use std::fmt;

/// What an action is about, which decides the resource that it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The workspace as a whole: [`Resource::Workspace`](super::Resource::Workspace).
    Workspace,
    /// A person's account: [`Resource::Person`](super::Resource::Person).
    Person,
    /// Something that belongs to one person: [`Resource::Owned`](super::Resource::Owned).
    Owned,
    /// The plan: [`Resource::Plan`](super::Resource::Plan).
    Plan,
    /// A grant: [`Resource::Grant`](super::Resource::Grant).
    Grant,
    /// A notice: [`Resource::Notice`](super::Resource::Notice).
    Notice,
}

// A macro, because the list of all actions, their codes and their subjects must come from one place.
macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $code:literal on $subject:ident,)+) => {
        /// Something that the API can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[$doc])* $variant,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Action] = &[$(Action::$variant,)+];

            /// Its stable code, e.g. `people.block`.
            pub fn code(self) -> &'static str {
                match self { $(Action::$variant => $code,)+ }
            }

            /// What it is about.
            pub fn subject(self) -> Subject {
                match self { $(Action::$variant => Subject::$subject,)+ }
            }
        }
    };
}

actions! {
    /// Read one's own profile, sessions, tokens, grants.
    SelfRead = "self.read" on Owned,
    /// Change one's own name or language.
    SelfEdit = "self.edit" on Owned,
    /// Add, change or remove one's own password, passkeys, one-time codes, recovery codes. Allowed before the second
    /// factor exists: it is how it comes to exist.
    SelfCredentials = "self.credentials" on Owned,
    /// End one's own sessions, sign out.
    SelfSessions = "self.sessions" on Owned,
    /// Approve a device that asks to sign in as oneself.
    SelfDevice = "self.device" on Owned,
    /// Issue a token for a program of one's own, or take one's own back.
    TokensIssue = "tokens.issue" on Owned,
    /// Take back a token, also somebody else's.
    TokensRevoke = "tokens.revoke" on Owned,
    /// List everybody's tokens.
    TokensRead = "tokens.read" on Workspace,
    /// List people.
    PeopleRead = "people.read" on Workspace,
    /// The record of one person: sessions, grants, what they opened, the investigation.
    PeopleRecord = "people.record" on Person,
    /// Invite somebody, withdraw an invitation.
    PeopleInvite = "people.invite" on Workspace,
    /// Give a person another role.
    PeopleAuthorise = "people.authorise" on Person,
    /// Block a person.
    PeopleBlock = "people.block" on Person,
    /// Unblock a person.
    PeopleUnblock = "people.unblock" on Person,
    /// Ask a second factor of a person.
    PeopleRequireMfa = "people.require_mfa" on Person,
    /// End a person's sessions.
    PeopleEndSessions = "people.end_sessions" on Person,
    /// Limit a person to tables or until a date.
    PeopleLimit = "people.limit" on Person,
    /// Write a note into an investigation.
    PeopleNote = "people.note" on Person,
    /// List grants.
    GrantsRead = "grants.read" on Workspace,
    /// Open a grant for a person.
    GrantsOpen = "grants.open" on Grant,
    /// Be the second who stands for a grant.
    GrantsAgree = "grants.agree" on Grant,
    /// Close a grant.
    GrantsClose = "grants.close" on Grant,
    /// Read the plan, its diff and its findings.
    PlanRead = "plan.read" on Plan,
    /// Hold the plan against the stores.
    PlanCheck = "plan.check" on Plan,
    /// Edit the plan.
    PlanEdit = "plan.edit" on Plan,
    /// Add or change a store of the plan: where data may come from and go to.
    PlanEditStores = "plan.edit_stores" on Plan,
    /// Approve the plan's fingerprint.
    PlanApprove = "plan.approve" on Plan,
    /// Withdraw an approval.
    PlanVoid = "plan.void" on Plan,
    /// Set a rule of a pack aside, or take that back.
    PlanWaive = "plan.waive" on Plan,
    /// Read approvals.
    ApprovalsRead = "approvals.read" on Plan,
    /// List runs and watch one.
    RunRead = "run.read" on Workspace,
    /// Start a run.
    RunStart = "run.start" on Plan,
    /// Pause a run.
    RunPause = "run.pause" on Workspace,
    /// Go on with a run.
    RunResume = "run.resume" on Workspace,
    /// List the groups of rows that wait, and open rows through the gate.
    QuarantineRead = "quarantine.read" on Workspace,
    /// Fix, release or discard rows that wait.
    QuarantineDecide = "quarantine.decide" on Workspace,
    /// List pairs of rows that may stand for one, open them through the gate, and try what a merge would come to.
    DuplicatesRead = "duplicates.read" on Workspace,
    /// Merge pairs, keep them apart, take that back.
    DuplicatesDecide = "duplicates.decide" on Workspace,
    /// Open rows of a source or a target, and what their columns hold, through the gate.
    DataRead = "data.read" on Workspace,
    /// Take rows of a source or a target away as a file, through the gate and under a grant.
    DataExport = "data.export" on Workspace,
    /// Read both sides again and reconcile; look at what differs, through the gate.
    RunVerify = "run.verify" on Workspace,
    /// Read the report of the latest run.
    ReportRead = "report.read" on Workspace,
    /// Read tasks; guests those that they have a part in.
    WorkRead = "work.read" on Workspace,
    /// Read every task.
    WorkReadAll = "work.read_all" on Workspace,
    /// Comment, answer, watch, and set the status of tasks that one owns.
    WorkTakePart = "work.take_part" on Workspace,
    /// Make and change tasks and views, import and export them.
    WorkEdit = "work.edit" on Workspace,
    /// Change what everybody works by: custom fields, calendars, the draft, webhooks.
    WorkManage = "work.manage" on Workspace,
    /// Read notices, their versions and findings.
    NoticesRead = "notices.read" on Workspace,
    /// Draft and write notices, hand them in, take back what was handed in.
    NoticesWrite = "notices.write" on Workspace,
    /// Publish a notice that somebody else wrote.
    NoticesApprove = "notices.approve" on Notice,
    /// Withdraw a notice that is published.
    NoticesWithdraw = "notices.withdraw" on Workspace,
    /// Read what customers ask for, and by when it must be answered.
    RequestsRead = "requests.read" on Workspace,
    /// Take a request in, note who asks, put it off.
    RequestsWrite = "requests.write" on Workspace,
    /// Grant or refuse a request.
    RequestsDecide = "requests.decide" on Workspace,
    /// Carry a granted request out, and make its receipt.
    RequestsCarryOut = "requests.carry_out" on Workspace,
    /// Read entries, filters and saved searches of the ledger.
    LedgerRead = "ledger.read" on Workspace,
    /// Read checkpoints and proofs.
    LedgerProve = "ledger.prove" on Workspace,
    /// Export entries of the ledger, read its entry tiles.
    LedgerExport = "ledger.export" on Workspace,
    /// Keep or delete one's own saved search.
    SearchesEdit = "searches.edit" on Owned,
    /// Read alerts.
    AlertsRead = "alerts.read" on Workspace,
    /// Deal with an alert.
    AlertsClose = "alerts.close" on Workspace,
    /// Who is in the data now.
    PresenceRead = "presence.read" on Workspace,
    /// The live stream of events, each of which is held against the person's rights again.
    EventsRead = "events.read" on Workspace,
    /// Read the policies and their sentences.
    PolicyRead = "policy.read" on Workspace,
    /// Ask what a person would see.
    PolicyWouldSee = "policy.would_see" on Person,
    /// Read the server's settings.
    SettingsRead = "settings.read" on Workspace,
    /// Change the server's settings.
    SettingsEdit = "settings.edit" on Workspace,
    /// Add, change and remove people for an identity provider (SCIM).
    ScimManage = "scim.manage" on Workspace,
    /// Read the server's metrics.
    MetricsRead = "metrics.read" on Workspace,
}

impl Action {
    /// The action of this code.
    pub fn from_code(code: &str) -> Option<Action> {
        Action::ALL.iter().copied().find(|action| action.code() == code)
    }

    /// Whether a token's scope covers it: the code itself, its group (`people.*`), or `*`.
    pub fn in_scope(self, scope: &str) -> bool {
        let code = self.code();
        let group = scope
            .strip_suffix('*')
            .is_some_and(|g| g.is_empty() || (g.ends_with('.') && code.starts_with(g)));
        group || scope == code
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_come_back() {
        for action in Action::ALL {
            assert_eq!(Action::from_code(action.code()), Some(*action));
            assert_eq!(Action::ALL.iter().filter(|a| a.code() == action.code()).count(), 1, "{action}");
        }
        assert_eq!(Action::from_code("people"), None);
    }

    #[test]
    fn a_scope_covers_its_own_code_or_its_whole_group_and_no_neighbour() {
        assert!(Action::PeopleBlock.in_scope("people.block"));
        assert!(Action::PeopleBlock.in_scope("people.*"));
        assert!(Action::PeopleBlock.in_scope("*"));
        for scope in ["people", "people.", "people.b", "people.b*", "peopl*", "plan.*", "", "people.blocks"] {
            assert!(!Action::PeopleBlock.in_scope(scope), "{scope}");
        }
    }
}
