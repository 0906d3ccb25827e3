//! What policies know of a person. Not here: where it comes from, a session or the state.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entity, EntityUid, RestrictedExpression};
use dunlin_plan::Role;

use super::policies::uid;
use crate::{Moment, Person, Status, Who};

/// The group of people who answer together: two people of two groups stand for secret data.
pub fn party(role: Role) -> &'static str {
    match role {
        Role::Owner | Role::Lead => "lead",
        Role::Approver | Role::Auditor => "control",
        Role::Engineer | Role::Steward => "data",
        Role::Writer => "words",
        Role::Guest => "guests",
    }
}

/// What policies know of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) id: String,
    pub(crate) role: Role,
    pub(crate) organisation: Option<String>,
    pub(crate) active: bool,
    pub(crate) mfa: bool,
    pub(crate) tables: Option<Vec<String>>,
}

impl Facts {
    pub(crate) fn of_who(who: &Who) -> Facts {
        Facts {
            id: who.person.clone(),
            role: who.role,
            organisation: who.organisation.clone(),
            // Whoever is blocked or gone has no session; the session was looked at for this very request.
            active: true,
            mfa: who.mfa_late.is_some(),
            tables: who.tables.clone(),
        }
    }

    pub(crate) fn of_person(person: &Person, now: Moment) -> Facts {
        let ended = person.limit_until.is_some_and(|until| until <= now.late);
        Facts {
            id: person.id.clone(),
            role: person.role,
            organisation: person.organisation.clone(),
            active: person.status == Status::Active && !ended,
            mfa: person.mfa_enrolled,
            tables: person.limit_tables.clone(),
        }
    }

    pub(super) fn uid(&self) -> EntityUid {
        uid("Person", &self.id)
    }

    /// The person and the groups.
    pub(super) fn entities(&self) -> Vec<Entity> {
        let text = |s: &str| RestrictedExpression::new_string(s.to_owned());
        let mut attributes = HashMap::from([
            ("role".to_owned(), text(self.role.as_str())),
            ("organisation".to_owned(), text(self.organisation.as_deref().unwrap_or_default())),
            ("in_house".to_owned(), RestrictedExpression::new_bool(self.organisation.is_none())),
            ("active".to_owned(), RestrictedExpression::new_bool(self.active)),
            ("mfa".to_owned(), RestrictedExpression::new_bool(self.mfa)),
        ]);
        if let Some(tables) = &self.tables {
            let tables = RestrictedExpression::new_set(tables.iter().map(|t| text(t)));
            attributes.insert("tables".to_owned(), tables);
        }
        let group = uid("Group", party(self.role));
        entity(self.uid(), attributes, HashSet::from([group.clone()]))
            .into_iter()
            .chain([Entity::new_no_attrs(group, HashSet::new())])
            .collect()
    }
}

/// An entity; none when its attributes cannot be read, so that the question fails and is denied.
pub(super) fn entity(
    uid: EntityUid,
    attributes: HashMap<String, RestrictedExpression>,
    parents: HashSet<EntityUid>,
) -> Option<Entity> {
    Entity::new(uid, attributes, parents).ok()
}
