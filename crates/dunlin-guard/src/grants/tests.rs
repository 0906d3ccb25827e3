use std::time::Duration;

use dunlin_gate::{Act, Class};
use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;

use super::GrantRequest;
use crate::policy::{AccessError, Authority};
use crate::testing::Site;
use crate::{GuardError, Who};

struct Desk {
    site: Site,
    authority: Authority,
}

impl Desk {
    async fn new() -> Desk {
        Desk { site: Site::new().await, authority: Authority::built_in().unwrap() }
    }

    /// A person who is signed in with this role.
    async fn who(&self, name: &str, role: Role) -> Who {
        let person = self.site.person(&format!("{name}@example.com"), role).await;
        crate::policy::tests::who(&person.id, role)
    }

    fn ask(&self, who: &Who) -> GrantRequest {
        GrantRequest {
            person: who.person.clone(),
            task: "task-1".into(),
            action: Act::Read,
            store: "atlas".into(),
            table: "atlas.people".into(),
            columns: None,
            until: Some(self.site.guard.now().late + 3_600_000_000),
            purpose_category: "support_case".into(),
            purpose_text: "ticket 4711 of a customer".into(),
        }
    }

    async fn held(&self, who: &Who) -> usize {
        self.site.guard.open_grants(&who.person, Act::Read, "atlas", "atlas.people").await.unwrap().len()
    }

    async fn closed(&self) -> Vec<String> {
        let said = |body| match body {
            Body::GrantClosed { reason_code, .. } => Some(reason_code),
            _ => None,
        };
        self.site.entries().await.into_iter().filter_map(said).collect()
    }
}

fn code(error: AccessError) -> String {
    match error {
        AccessError::Refused { reason_code, .. } => reason_code,
        AccessError::Guard(error) => error.code().to_owned(),
    }
}

#[tokio::test]
async fn a_grant_ends_by_hand_with_its_task_and_at_once_when_its_time_is_over() {
    let desk = Desk::new().await;
    let guard = &desk.site.guard;
    let (lead, ana) = (desk.who("lead", Role::Lead).await, desk.who("ana", Role::Engineer).await);
    let first = guard.open_grant(&lead, &desk.authority, &desk.ask(&ana)).await.unwrap();
    assert_eq!(desk.held(&ana).await, 1);
    guard.close_grant(&lead, &desk.authority, &first.id).await.unwrap();
    guard.close_grant(&lead, &desk.authority, &first.id).await.unwrap();
    assert_eq!(desk.held(&ana).await, 0);
    guard.open_grant(&lead, &desk.authority, &desk.ask(&ana)).await.unwrap();
    assert_eq!(guard.close_grants_of_task(&Actor::System, "task-2").await.unwrap(), 0);
    assert_eq!(guard.close_grants_of_task(&Actor::System, "task-1").await.unwrap(), 1);
    assert_eq!(desk.held(&ana).await, 0);
    guard.open_grant(&lead, &desk.authority, &desk.ask(&ana)).await.unwrap();
    desk.site.time.advance(Duration::from_secs(3_600));
    assert_eq!(desk.held(&ana).await, 0, "before anybody has swept");
    // A clock that is set back does not bring it to life.
    desk.site.time.jump_us(-7_200_000_000);
    assert_eq!(desk.held(&ana).await, 0);
    assert_eq!(guard.sweep_grants().await.unwrap(), 1);
    assert_eq!(guard.sweep_grants().await.unwrap(), 0);
    assert_eq!(desk.closed().await, ["by_hand", "task_ended", "expired"]);
    let words = serde_json::to_string(&format!("{:?}", desk.site.entries().await)).unwrap();
    assert!(!words.contains("4711"), "what people typed stays in the state");
}

#[tokio::test]
async fn who_may_open_a_grant_and_for_whom() {
    let desk = Desk::new().await;
    let guard = &desk.site.guard;
    let ana = desk.who("ana", Role::Engineer).await;
    for (role, name) in
        [(Role::Engineer, "e"), (Role::Approver, "p"), (Role::Auditor, "u"), (Role::Guest, "g")]
    {
        let who = desk.who(name, role).await;
        let error = guard.open_grant(&who, &desk.authority, &desk.ask(&ana)).await.unwrap_err();
        assert_eq!(code(error), "no_policy", "{role}");
    }
    let lead = desk.who("lead", Role::Lead).await;
    let error = guard.open_grant(&lead, &desk.authority, &desk.ask(&lead)).await.unwrap_err();
    assert_eq!(code(error), "api.grant_to_self");
    let wrong = [
        GrantRequest { action: Act::ReadMasked, ..desk.ask(&ana) },
        GrantRequest { task: " ".into(), ..desk.ask(&ana) },
        GrantRequest { columns: Some(Vec::new()), ..desk.ask(&ana) },
        GrantRequest { until: Some(1), ..desk.ask(&ana) },
        GrantRequest { purpose_category: "because I want".into(), ..desk.ask(&ana) },
        GrantRequest { purpose_text: " ".into(), ..desk.ask(&ana) },
    ];
    for request in wrong {
        assert_eq!(code(guard.open_grant(&lead, &desk.authority, &request).await.unwrap_err()), "invalid");
    }
    let nobody = GrantRequest { person: "nobody".into(), ..desk.ask(&ana) };
    let error = guard.open_grant(&lead, &desk.authority, &nobody).await.unwrap_err();
    assert!(matches!(error, AccessError::Guard(GuardError::Unknown("person"))));
    assert_eq!(desk.site.count("select count(*) from grants").await, 0);
}

#[tokio::test]
async fn secret_columns_need_two_people_of_two_groups_who_are_not_the_one() {
    let desk = Desk::new().await;
    let guard = &desk.site.guard;
    let (lead, owner) = (desk.who("lead", Role::Lead).await, desk.who("owner", Role::Owner).await);
    let (approver, ana) = (desk.who("eva", Role::Approver).await, desk.who("ana", Role::Engineer).await);
    let named = GrantRequest { columns: Some(vec!["pin".into()]), ..desk.ask(&ana) };
    let grant = guard.open_grant(&lead, &desk.authority, &named).await.unwrap();
    assert!(grant.reaches("pin", Class::Secret) && !grant.reaches("email", Class::Personal));
    assert!(!grant.two_parties(), "whoever opened it alone");
    assert_eq!(code(guard.agree_grant(&lead, &desk.authority, &grant.id).await.unwrap_err()), "taken");
    let same_group = guard.agree_grant(&owner, &desk.authority, &grant.id).await.unwrap();
    assert!(!same_group.two_parties(), "a lead and an owner answer together");
    assert_eq!(
        code(guard.agree_grant(&ana, &desk.authority, &grant.id).await.unwrap_err()),
        "always.own_grant"
    );
    assert!(guard.agree_grant(&approver, &desk.authority, &grant.id).await.unwrap().two_parties());
    // An owner's grant to themselves has nobody who stands for it until others do.
    let own = GrantRequest { columns: Some(vec!["pin".into()]), ..desk.ask(&owner) };
    let own = guard.open_grant(&owner, &desk.authority, &own).await.unwrap();
    assert_eq!(own.agreements, []);
    assert!(!guard.agree_grant(&approver, &desk.authority, &own.id).await.unwrap().two_parties());
    assert!(guard.agree_grant(&lead, &desk.authority, &own.id).await.unwrap().two_parties());
    let all = guard.open_grant(&lead, &desk.authority, &desk.ask(&ana)).await.unwrap();
    assert!(
        all.reaches("email", Class::Sensitive) && !all.reaches("pin", Class::Secret),
        "secret ones are named"
    );
    guard.close_grant(&ana, &desk.authority, &grant.id).await.unwrap();
    let late = guard.agree_grant(&owner, &desk.authority, &grant.id).await.unwrap_err();
    assert_eq!(code(late), "grant_closed");
}

#[tokio::test]
async fn a_blocked_person_comes_back_without_the_old_grants() {
    let desk = Desk::new().await;
    let guard = &desk.site.guard;
    let (owner, ana) = (desk.who("owner", Role::Owner).await, desk.who("ana", Role::Engineer).await);
    guard.open_grant(&owner, &desk.authority, &desk.ask(&ana)).await.unwrap();
    let reason = crate::Reason { category: "suspected_breach".into(), text: "odd hours".into() };
    guard.block(&owner.actor(), &ana.person, &reason).await.unwrap();
    guard.unblock(&owner.actor(), &ana.person, &reason).await.unwrap();
    assert_eq!(desk.held(&ana).await, 0);
    assert_eq!(desk.closed().await, ["blocked"]);
}
