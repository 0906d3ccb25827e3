use std::collections::BTreeMap;
use std::time::Duration;

use dunlin_ledger::Body;
use dunlin_plan::Role;

use super::ApprovalRules;
use crate::policy::tests::who;
use crate::policy::{AccessError, Authority};
use crate::testing::Site;

const ONE: &str = "1111";
const TWO: &str = "2222";

fn stores(which: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("atlas".to_owned(), format!("postgresql:{which}/atlas"))])
}

fn code<T>(outcome: Result<T, AccessError>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(AccessError::Refused { reason_code, .. }) => reason_code,
        Err(AccessError::Guard(error)) => error.code().to_owned(),
    }
}

async fn said(site: &Site) -> Vec<String> {
    let entry = |body| match body {
        Body::PlanApproved { fingerprint, .. } => Some(format!("approved {fingerprint}")),
        Body::PlanEdited { fingerprint, .. } => Some(format!("edited {fingerprint}")),
        Body::ApprovalVoided { fingerprint, reason_code } => {
            Some(format!("voided {fingerprint} {reason_code}"))
        }
        _ => None,
    };
    site.entries().await.into_iter().filter_map(entry).collect()
}

#[tokio::test]
async fn an_approval_is_for_these_stores_by_another_than_the_author_and_than_who_starts() {
    let site = Site::new().await;
    let (guard, authority, rules) = (&site.guard, Authority::built_in().unwrap(), ApprovalRules::default());
    let (ana, eva, owner) = (who("ana", Role::Engineer), who("eva", Role::Approver), who("oz", Role::Owner));
    guard.plan_edited(&ana.actor(), "0000", ONE).await.unwrap();
    guard.plan_edited(&owner.actor(), ONE, TWO).await.unwrap();
    assert_eq!(guard.plan_authors(TWO).await.unwrap(), ["oz", "ana"]);
    let staging = stores("staging");
    let approve = |by, fingerprint| guard.approve(by, &authority, &rules, fingerprint, TWO, &staging);
    assert_eq!(code(approve(&owner, TWO).await), "own_plan");
    assert_eq!(code(approve(&ana, TWO).await), "role_does_not_approve");
    assert_eq!(code(approve(&eva, ONE).await), "plan_edited", "what was read is not what it is now");
    assert_eq!(code(guard.may_start_run(&ana, TWO, &staging).await), "not_approved");
    assert_eq!(code(approve(&eva, TWO).await), "ok");
    assert_eq!(code(approve(&eva, TWO).await), "ok");
    assert_eq!(code(guard.may_start_run(&ana, TWO, &staging).await), "ok");
    assert_eq!(code(guard.may_start_run(&ana, TWO, &stores("production")).await), "other_stores");
    assert_eq!(code(guard.may_start_run(&eva, TWO, &staging).await), "own_approval");
    assert_eq!(said(&site).await, ["edited 1111", "edited 2222", "approved 2222"], "said once");
}

#[tokio::test]
async fn any_edit_voids_and_going_back_does_not_bring_it_back() {
    let site = Site::new().await;
    let (guard, authority, rules) = (&site.guard, Authority::built_in().unwrap(), ApprovalRules::default());
    let (ana, eva) = (who("ana", Role::Engineer), who("eva", Role::Approver));
    let approve = || async { guard.approve(&eva, &authority, &rules, ONE, ONE, &stores("1")).await };
    let start = || async { code(guard.may_start_run(&ana, ONE, &stores("1")).await) };
    approve().await.unwrap();
    guard.plan_edited(&ana.actor(), ONE, ONE).await.unwrap();
    assert_eq!(start().await, "ok", "a telephone number voids nothing");
    guard.plan_edited(&ana.actor(), ONE, TWO).await.unwrap();
    guard.plan_edited(&ana.actor(), TWO, ONE).await.unwrap();
    assert_eq!(start().await, "approval_voided");
    approve().await.unwrap();
    assert_eq!(start().await, "ok", "it can be approved again");
    guard.void_approvals(&eva, &authority, ONE).await.unwrap();
    assert_eq!(start().await, "approval_voided");
    approve().await.unwrap();
    site.time.advance(Duration::from_secs(7 * 24 * 3_600));
    assert_eq!(start().await, "approval_expired", "before anybody has swept");
    guard.sweep_approvals().await.unwrap();
    guard.sweep_approvals().await.unwrap();
    assert_eq!(code(guard.void_approvals(&ana, &authority, ONE).await), "no_policy");
    let expected = [
        "approved 1111",
        "edited 1111",
        "edited 2222",
        "voided 1111 edited",
        "edited 1111",
        "approved 1111",
        "voided 1111 withdrawn",
        "approved 1111",
        "voided 1111 expired",
    ];
    assert_eq!(said(&site).await, expected);
}
