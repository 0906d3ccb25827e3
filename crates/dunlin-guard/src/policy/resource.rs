//! What an action is done to, as far as a policy needs to know it.
//!
//! Not here: customer data, which is decided column by column in `view`.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entity, EntityUid, RestrictedExpression};
use dunlin_plan::Role;

use super::Subject;
use super::facts::{Facts, entity};
use super::policies::uid;

/// What an [`Action`](super::Action) is done to. [`Action::subject`](super::Action::subject) says which form is due;
/// another form is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// The workspace as a whole.
    Workspace,
    /// A person's account of which no more than the id is known: policies that look at the role take it for an
    /// owner's, so that what protects owners is never passed by.
    Person {
        /// The person's id.
        id: String,
    },
    /// A person's account with its role.
    Account {
        /// The person's id.
        id: String,
        /// The role that the account has now.
        role: Role,
    },
    /// Something that belongs to one person: a profile, a session, a credential, a token, a saved search.
    Owned {
        /// Whose it is: the person's id.
        owner: String,
    },
    /// The plan in one form.
    Plan {
        /// The people who wrote it since it was last approved, as far as they are known.
        authors: Vec<String>,
    },
    /// A grant, or one that is about to be opened.
    Grant {
        /// The person who gets it.
        person: String,
        /// The people who already stand for it.
        stood_by: Vec<String>,
        /// Whether it names columns, which secret ones need.
        secret: bool,
    },
    /// A notice that was handed in.
    Notice {
        /// The people who wrote it and who handed it in.
        authors: Vec<String>,
    },
}

impl Resource {
    /// Something of this person.
    pub fn of(owner: &str) -> Resource {
        Resource::Owned { owner: owner.to_owned() }
    }

    /// The account of this person.
    pub fn person(id: &str) -> Resource {
        Resource::Person { id: id.to_owned() }
    }

    /// The plan, when its authors do not matter (reading, starting a run) or are unknown.
    pub fn plan() -> Resource {
        Resource::Plan { authors: Vec::new() }
    }

    /// A notice whose authors do not matter yet: the handler asks again once it has read them.
    pub fn notice() -> Resource {
        Resource::Notice { authors: Vec::new() }
    }

    /// Whether an action about this can be done to it.
    pub(super) fn fits(&self, subject: Subject) -> bool {
        match self {
            Resource::Workspace => subject == Subject::Workspace,
            Resource::Person { .. } | Resource::Account { .. } => subject == Subject::Person,
            Resource::Owned { .. } => subject == Subject::Owned,
            Resource::Plan { .. } => subject == Subject::Plan,
            Resource::Grant { .. } => subject == Subject::Grant,
            Resource::Notice { .. } => subject == Subject::Notice,
        }
    }

    /// Its name and what policies need beside it. `caller` is among the entities already.
    pub(super) fn entities(&self, caller: &Facts) -> (EntityUid, Vec<Entity>) {
        let person = |id: &str| RestrictedExpression::new_entity_uid(uid("Person", id));
        let people = |ids: &[String]| RestrictedExpression::new_set(ids.iter().map(|id| person(id)));
        let make = |kind: &str, id: &str, attributes: Vec<(&str, RestrictedExpression)>| {
            let attributes: HashMap<_, _> = attributes.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
            let uid = uid(kind, id);
            (uid.clone(), entity(uid, attributes, HashSet::new()).into_iter().collect())
        };
        match self {
            Resource::Workspace => make("Workspace", "workspace", Vec::new()),
            Resource::Person { id } => account(id, Role::Owner, caller),
            Resource::Account { id, role } => account(id, *role, caller),
            Resource::Owned { owner } => make("Item", "item", vec![("owner", person(owner))]),
            Resource::Plan { authors } => make("Plan", "plan", vec![("authors", people(authors))]),
            Resource::Notice { authors } => make("Notice", "notice", vec![("authors", people(authors))]),
            Resource::Grant { person: id, stood_by, secret } => {
                let attributes = vec![
                    ("person", person(id)),
                    ("stood_by", people(stood_by)),
                    ("secret", RestrictedExpression::new_bool(*secret)),
                ];
                make("Grant", "grant", attributes)
            }
        }
    }
}

fn account(id: &str, role: Role, caller: &Facts) -> (EntityUid, Vec<Entity>) {
    if id == caller.id {
        return (caller.uid(), Vec::new());
    }
    let facts = Facts { id: id.to_owned(), role, organisation: None, active: true, mfa: false, tables: None };
    // Groups are not asked of an account that something is done to.
    let entities = facts.entities().into_iter().take(1).collect();
    (facts.uid(), entities)
}
