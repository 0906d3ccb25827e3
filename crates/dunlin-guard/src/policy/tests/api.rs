use std::collections::BTreeSet;

use dunlin_plan::{Role, Word};

use super::who;
use crate::policy::{Action, Authority, Resource, Subject};
use crate::{Stage, Who};

/// Done to what is somebody else's, by a person with this role.
fn strange(action: Action) -> Resource {
    match action.subject() {
        Subject::Workspace => Resource::Workspace,
        Subject::Person => Resource::Account { id: "other".into(), role: Role::Engineer },
        Subject::Owned => Resource::of("other"),
        Subject::Plan => Resource::plan(),
        Subject::Grant => Resource::Grant { person: "other".into(), stood_by: Vec::new(), secret: false },
        Subject::Notice => Resource::Notice { authors: vec!["other".into()] },
    }
}

fn allowed(
    authority: &Authority,
    who: &Who,
    resource: impl Fn(Action) -> Resource,
) -> BTreeSet<&'static str> {
    let may = |action: &&Action| authority.may(who, **action, &resource(**action)).allowed;
    Action::ALL.iter().filter(may).map(|a| a.code()).collect()
}

fn set(words: &str) -> BTreeSet<&str> {
    words.split_whitespace().collect()
}

const EVERYBODY: &str = "policy.read ledger.prove events.read work.read";
const OWN: &str = "self.read self.edit self.credentials self.sessions self.device tokens.issue searches.edit";

#[test]
fn each_role_may_do_what_its_sentence_says_and_no_more() {
    let authority = Authority::built_in().unwrap();
    let all: BTreeSet<&str> = Action::ALL.iter().map(|a| a.code()).collect();
    let lead = "tokens.read people.read people.record people.invite people.block people.require_mfa \
        people.end_sessions people.limit people.note grants.read grants.open grants.agree grants.close plan.read \
        plan.check plan.edit approvals.read run.read run.start run.pause run.resume quarantine.read quarantine.decide \
        duplicates.read duplicates.decide ledger.read alerts.read alerts.close presence.read policy.would_see settings.read metrics.read \
        data.read data.export run.verify report.read \
        work.read_all work.take_part work.edit work.manage \
        notices.read notices.write notices.approve notices.withdraw \
        requests.read requests.write requests.decide requests.carry_out";
    let cases = [
        (Role::Lead, lead),
        (
            Role::Engineer,
            "plan.read plan.check plan.edit approvals.read grants.read run.read run.start run.pause run.resume \
             quarantine.read quarantine.decide duplicates.read duplicates.decide alerts.read presence.read data.read \
             data.export run.verify report.read \
             work.read_all work.take_part work.edit notices.read",
        ),
        (
            Role::Steward,
            "plan.read plan.check plan.edit approvals.read grants.read run.read quarantine.read quarantine.decide \
             duplicates.read duplicates.decide presence.read data.read data.export run.verify report.read \
             work.read_all work.take_part work.edit notices.read requests.read requests.write requests.carry_out",
        ),
        (
            Role::Writer,
            "plan.read approvals.read work.read_all work.take_part work.edit notices.read notices.write \
             requests.read requests.write",
        ),
        (
            Role::Approver,
            "plan.read plan.check plan.edit plan.edit_stores plan.approve plan.void plan.waive approvals.read grants.read grants.agree \
             grants.close run.read quarantine.read duplicates.read people.read people.record alerts.read presence.read ledger.read \
             policy.would_see data.read run.verify report.read work.read_all work.take_part work.edit \
             notices.read notices.approve notices.withdraw requests.read requests.decide",
        ),
        (
            Role::Auditor,
            "tokens.read people.read people.record grants.read plan.read plan.check approvals.read run.read \
             quarantine.read duplicates.read ledger.read ledger.export alerts.read presence.read policy.would_see settings.read \
             metrics.read data.read run.verify report.read work.read_all notices.read requests.read",
        ),
        (Role::Guest, "work.take_part"),
    ];
    for (role, words) in cases {
        let mut expected = set(words);
        expected.extend(set(EVERYBODY));
        assert_eq!(allowed(&authority, &who("me", role), strange), expected, "{role}");
    }
    let owner: BTreeSet<&str> = all.difference(&set(OWN)).copied().collect();
    assert_eq!(
        allowed(&authority, &who("me", Role::Owner), strange),
        owner,
        "all but what is somebody else's own"
    );
    for role in Role::ALL {
        let own = |action: Action| match action.subject() {
            Subject::Owned => Resource::of("me"),
            _ => strange(action),
        };
        let mine = allowed(&authority, &who("me", *role), own);
        assert!(set(OWN).is_subset(&mine) && mine.contains("tokens.revoke"), "{role}");
    }
}

#[test]
fn no_question_fails_to_be_evaluated() {
    let authority = Authority::built_in().unwrap();
    for role in Role::ALL {
        for action in Action::ALL {
            let mut caller = who("me", *role);
            caller.tables = Some(vec!["atlas.people".into()]);
            let verdict = authority.may(&caller, *action, &strange(*action));
            assert_ne!(verdict.reason_code, "policy_failed", "{role} {action}");
            assert!(!verdict.sentence.is_empty(), "{role} {action}");
            let wrong = match action.subject() {
                Subject::Workspace => Resource::plan(),
                _ => Resource::Workspace,
            };
            assert_eq!(authority.may(&caller, *action, &wrong).reason_code, "wrong_resource");
        }
    }
}

#[test]
fn nobody_publishes_what_they_wrote_whatever_their_role() {
    let authority = Authority::built_in().unwrap();
    for role in [Role::Owner, Role::Lead, Role::Approver] {
        let ask = |author: &str| {
            let notice = Resource::Notice { authors: vec![author.to_owned(), "third".to_owned()] };
            authority.may(&who("me", role), Action::NoticesApprove, &notice)
        };
        assert_eq!(ask("me").reason_code, "always.own_notice", "{role}");
        assert!(ask("other").allowed, "{role}");
    }
}

#[test]
fn a_token_does_what_it_was_issued_for_and_nothing_else() {
    let authority = Authority::built_in().unwrap();
    let scoped = |scopes: &[&str]| Who {
        scopes: Some(scopes.iter().map(|s| (*s).to_owned()).collect()),
        ..who("me", Role::Owner)
    };
    assert_eq!(allowed(&authority, &scoped(&["run.read", "plan.read"]), strange), set("run.read plan.read"));
    assert_eq!(
        allowed(&authority, &scoped(&["run.*"]), strange),
        set("run.read run.start run.pause run.resume run.verify")
    );
    assert_eq!(allowed(&authority, &scoped(&[]), strange), set(""));
    let verdict = authority.may(&scoped(&["run.read"]), Action::PlanRead, &Resource::plan());
    assert_eq!(verdict.reason_code, "always.scope");
    assert_eq!(verdict.sentence, "A token may do only what it was issued for.");
    // A scope gives nothing that the role does not.
    let guest = Who { scopes: Some(vec!["*".into()]), ..who("me", Role::Guest) };
    let mut as_guest = set(EVERYBODY);
    as_guest.extend(set("work.take_part"));
    assert_eq!(allowed(&authority, &guest, strange), as_guest);
}

#[test]
fn half_a_sign_in_opens_nothing_but_its_other_half() {
    let authority = Authority::built_in().unwrap();
    let own = |action: Action| match action.subject() {
        Subject::Owned => Resource::of("me"),
        _ => strange(action),
    };
    let at = |stage| Who { stage, ..who("me", Role::Owner) };
    assert_eq!(allowed(&authority, &at(Stage::SecondFactor), own), set("self.sessions"));
    assert_eq!(allowed(&authority, &at(Stage::Enrol), own), set("self.read self.credentials self.sessions"));
}

#[test]
fn nobody_decides_on_themselves_and_only_owners_on_owners() {
    let authority = Authority::built_in().unwrap();
    let reason = |who: &Who, action, resource: &Resource| authority.may(who, action, resource).reason_code;
    let account = |id: &str, role| Resource::Account { id: id.into(), role };
    let (owner, lead) = (who("me", Role::Owner), who("me", Role::Lead));
    for action in [Action::PeopleAuthorise, Action::PeopleBlock, Action::PeopleUnblock, Action::PeopleLimit] {
        assert_eq!(reason(&owner, action, &account("me", Role::Owner)), "api.own_account");
    }
    for action in
        [Action::PeopleBlock, Action::PeopleLimit, Action::PeopleEndSessions, Action::PeopleRequireMfa]
    {
        assert_eq!(reason(&lead, action, &account("boss", Role::Owner)), "api.no_higher");
        assert_eq!(reason(&lead, action, &account("peer", Role::Engineer)), "api.lead");
        assert_eq!(reason(&lead, action, &Resource::person("unknown role")), "api.no_higher");
        assert_eq!(reason(&owner, action, &account("boss", Role::Owner)), "api.owner");
    }
    let plan =
        |authors: &[&str]| Resource::Plan { authors: authors.iter().map(|a| (*a).to_owned()).collect() };
    let approver = who("me", Role::Approver);
    assert_eq!(reason(&approver, Action::PlanApprove, &plan(&["you"])), "api.approver");
    assert_eq!(reason(&approver, Action::PlanApprove, &plan(&["you", "me"])), "always.own_plan");
    assert_eq!(reason(&owner, Action::PlanApprove, &plan(&["me"])), "always.own_plan");
    let grant = |person: &str| Resource::Grant { person: person.into(), stood_by: Vec::new(), secret: true };
    assert_eq!(reason(&lead, Action::GrantsOpen, &grant("me")), "api.grant_to_self");
    assert_eq!(reason(&owner, Action::GrantsOpen, &grant("me")), "api.owner");
    assert_eq!(reason(&owner, Action::GrantsAgree, &grant("me")), "always.own_grant");
    assert_eq!(reason(&approver, Action::GrantsAgree, &grant("you")), "api.approver");
}
