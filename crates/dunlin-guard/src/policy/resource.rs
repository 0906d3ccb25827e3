//! What an action is done to, as far as a policy needs to know it.
//!
//! Not here: customer data, which is decided column by column in [`super::Authority`].

/// What an [`Action`](super::Action) is done to. [`Action::subject`](super::Action::subject) says which form is due;
/// another form is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// The workspace as a whole.
    Workspace,
    /// A person's account.
    Person {
        /// The person's id.
        id: String,
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
        /// Whether it reaches secret columns.
        secret: bool,
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
}
