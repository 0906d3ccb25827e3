//! Who may approve a plan, and when an approval counts: plain functions of plain facts.
//!
//! Not here: where the facts come from.

use std::collections::BTreeMap;

use dunlin_plan::Role;
use serde::Serialize;

/// What a workspace asks of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRules {
    /// The roles that may approve, over and above what the policies allow.
    pub roles: Vec<Role>,
    /// How long an approval holds, in microseconds.
    pub lasts_us: i64,
}

impl Default for ApprovalRules {
    /// Owners and approvers, for seven days.
    fn default() -> ApprovalRules {
        ApprovalRules { roles: vec![Role::Owner, Role::Approver], lasts_us: dunlin_store::APPROVAL_LASTS_US }
    }
}

/// An approval as the state has it. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApprovalRecord {
    /// The plan's fingerprint, hex.
    pub fingerprint: String,
    /// Each store's name and identity.
    pub stores: BTreeMap<String, String>,
    /// A person's id, or a local user, who is not authenticated.
    pub by: String,
    /// The role in which it was given.
    pub role: Option<String>,
    /// When.
    pub at: i64,
    /// When it ends by itself.
    pub expires_at: i64,
    /// When it was voided.
    pub voided_at: Option<i64>,
    /// Why, as a code.
    pub voided_reason: Option<String>,
}

/// Why an approval is not taken, or does not count. The message says how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotApproved {
    /// The role may not approve.
    #[error("your role does not approve plans; ask an owner or an approver")]
    Role,
    /// The approver wrote it.
    #[error("you wrote this plan since it was last approved; somebody else must approve it")]
    Author,
    /// The plan was edited since it was read.
    #[error("the plan was edited since you read it; read it again and approve what it is now")]
    Edited,
    /// Nobody has approved it.
    #[error("nobody has approved this plan; ask an owner or an approver")]
    Nobody,
    /// It was withdrawn, or the plan was edited since.
    #[error("the approval was voided; have the plan approved again")]
    Voided,
    /// Its time is over.
    #[error("the approval has expired; have the plan approved again")]
    Expired,
    /// It was given for other stores.
    #[error("the plan was approved for other stores than these; have it approved for these")]
    OtherStores,
    /// Whoever starts the run gave it.
    #[error("you approved this plan yourself; somebody else must start the run, or approve it too")]
    OwnRun,
}

impl NotApproved {
    /// A code for the ledger and the API.
    pub fn code(self) -> &'static str {
        match self {
            NotApproved::Role => "role_does_not_approve",
            NotApproved::Author => "own_plan",
            NotApproved::Edited => "plan_edited",
            NotApproved::Nobody => "not_approved",
            NotApproved::Voided => "approval_voided",
            NotApproved::Expired => "approval_expired",
            NotApproved::OtherStores => "other_stores",
            NotApproved::OwnRun => "own_approval",
        }
    }
}

/// Whether this person may approve a plan that these people wrote.
pub fn may_approve(
    rules: &ApprovalRules,
    person: &str,
    role: Role,
    authors: &[String],
) -> Result<(), NotApproved> {
    if !rules.roles.contains(&role) {
        return Err(NotApproved::Role);
    }
    if authors.iter().any(|author| author == person) {
        return Err(NotApproved::Author);
    }
    Ok(())
}

/// Whether one of these approvals lets `starter` run the plan against these stores at `now`. When none does, why the one
/// that came nearest does not.
pub fn may_start(
    approvals: &[ApprovalRecord],
    stores: &BTreeMap<String, String>,
    starter: &str,
    now: i64,
) -> Result<(), NotApproved> {
    let why_not = |approval: &ApprovalRecord| {
        if approval.stores != *stores {
            Some((1, NotApproved::OtherStores))
        } else if approval.voided_at.is_some() {
            Some((2, NotApproved::Voided))
        } else if approval.expires_at <= now {
            Some((3, NotApproved::Expired))
        } else if approval.by == starter {
            Some((4, NotApproved::OwnRun))
        } else {
            None
        }
    };
    let mut nearest = (0, NotApproved::Nobody);
    for approval in approvals {
        match why_not(approval) {
            None => return Ok(()),
            Some(why) if why.0 > nearest.0 => nearest = why,
            Some(_) => {}
        }
    }
    Err(nearest.1)
}

/// The people who wrote the plan of this fingerprint since a form of it was last approved. `edits` are (author, previous,
/// fingerprint), the newest first; `approved` are the fingerprints that were ever approved. An edit outside the server
/// has no author that anybody knows: before it the chain ends.
pub fn authors(edits: &[(String, String, String)], approved: &[String], fingerprint: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut at = fingerprint;
    for (author, previous, result) in edits {
        // An edit that left the fingerprint alone wrote nothing of what is approved.
        if result != at || previous == result {
            continue;
        }
        if !found.contains(author) {
            found.push(author.clone());
        }
        if approved.contains(previous) {
            break;
        }
        at = previous;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(by: &str) -> ApprovalRecord {
        ApprovalRecord {
            fingerprint: "ff".into(),
            stores: BTreeMap::from([("atlas".into(), "pg:1/atlas".into())]),
            by: by.into(),
            role: Some("approver".into()),
            at: 0,
            expires_at: 100,
            voided_at: None,
            voided_reason: None,
        }
    }

    #[test]
    fn neither_the_author_nor_another_role_approves() {
        let rules = ApprovalRules::default();
        let wrote = ["ana".to_owned(), "ben".to_owned()];
        assert_eq!(may_approve(&rules, "eva", Role::Approver, &wrote), Ok(()));
        assert_eq!(may_approve(&rules, "eva", Role::Owner, &wrote), Ok(()));
        assert_eq!(may_approve(&rules, "ben", Role::Approver, &wrote), Err(NotApproved::Author));
        for role in [Role::Lead, Role::Engineer, Role::Steward, Role::Writer, Role::Auditor, Role::Guest] {
            assert_eq!(may_approve(&rules, "eva", role, &wrote), Err(NotApproved::Role), "{role}");
        }
        let leads = ApprovalRules { roles: vec![Role::Lead], ..rules };
        assert_eq!(may_approve(&leads, "eva", Role::Owner, &wrote), Err(NotApproved::Role));
        assert_eq!(may_approve(&leads, "eva", Role::Lead, &wrote), Ok(()));
    }

    #[test]
    fn an_approval_counts_only_for_its_stores_in_its_time_and_for_somebody_else() {
        let stores = approval("eva").stores;
        let start =
            |approvals: &[ApprovalRecord], starter: &str, now| may_start(approvals, &stores, starter, now);
        assert_eq!(start(&[], "ana", 1), Err(NotApproved::Nobody));
        assert_eq!(start(&[approval("eva")], "ana", 99), Ok(()));
        assert_eq!(start(&[approval("eva")], "ana", 100), Err(NotApproved::Expired));
        assert_eq!(start(&[approval("eva")], "eva", 1), Err(NotApproved::OwnRun));
        assert_eq!(start(&[approval("eva"), approval("ana")], "eva", 1), Ok(()), "a second one helps");
        let voided = ApprovalRecord { voided_at: Some(2), ..approval("eva") };
        assert_eq!(start(std::slice::from_ref(&voided), "ana", 3), Err(NotApproved::Voided));
        let staging = ApprovalRecord { stores: BTreeMap::new(), ..approval("eva") };
        assert_eq!(start(std::slice::from_ref(&staging), "ana", 1), Err(NotApproved::OtherStores));
        assert_eq!(start(&[staging, voided], "ana", 3), Err(NotApproved::Voided), "the nearest miss is told");
    }

    #[test]
    fn a_trivial_edit_by_another_does_not_free_the_first_author_to_approve() {
        let edit = |author: &str, from: &str, to: &str| (author.to_owned(), from.to_owned(), to.to_owned());
        let edits = [edit("ben", "b", "c"), edit("ana", "a", "b"), edit("eva", "0", "a")];
        assert_eq!(
            authors(&edits, &["a".to_owned()], "c"),
            ["ben", "ana"],
            "what was approved is not theirs"
        );
        assert_eq!(authors(&edits, &[], "c"), ["ben", "ana", "eva"]);
        assert_eq!(authors(&edits, &[], "git"), Vec::<String>::new());
        // There and back again, and in a circle.
        let circle = [edit("eva", "a", "a"), edit("ana", "b", "a"), edit("ben", "a", "b")];
        assert_eq!(authors(&circle, &[], "a"), ["ana", "ben"]);
    }
}
