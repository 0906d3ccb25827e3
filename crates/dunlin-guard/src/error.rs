//! Why the guard refused. Messages are for the person who asked: what is wrong and how to mend it; never a
//! value, a secret or whether an account exists.
//!
//! Not here: the HTTP status; the server makes it from [`GuardError::kind`].

use dunlin_store::StoreError;

/// Why the guard refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The answer to every sign-in that fails, whatever the reason.
    #[error("that did not sign you in")]
    SignInRefused,
    /// Too many attempts from this network.
    #[error("too many attempts from this network")]
    Throttled {
        /// Seconds until it is worth trying again.
        retry_after_s: u64,
    },
    /// There is no session or token, or it has ended.
    #[error("you are not signed in, or your session has ended")]
    NotSignedIn,
    /// The session must show its second factor first.
    #[error("your second factor is still missing")]
    SecondFactorNeeded,
    /// The session may do nothing but set up a second factor.
    #[error("your role needs a second factor, and you have none yet")]
    EnrolmentNeeded,
    /// What was asked for needs a second factor shown a short time ago.
    #[error("this needs your second factor once more")]
    FreshFactorNeeded,
    /// A one-time code, a recovery code or a passkey's answer was not right.
    #[error("that code or passkey was not right")]
    FactorRefused,
    /// A link, an invitation, a set-up secret or a user code that is unknown, spent, withdrawn or too old.
    #[error("this link or code is not valid: it is unknown, was used already, or is too old")]
    LinkSpent,
    /// The token of a form does not belong to the session.
    #[error("this form was made for another session")]
    FormRefused,
    /// A password that is too easy to guess.
    #[error("this password is too easy to guess: {0}")]
    WeakPassword(&'static str),
    /// There is no such thing.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// It is there already.
    #[error("there is such a {0} already")]
    Taken(&'static str),
    /// Something is not as it must be.
    #[error("{what} is not right: {help}")]
    Invalid {
        /// What.
        what: &'static str,
        /// How it must be.
        help: &'static str,
    },
    /// It would leave the workspace without an owner who can sign in.
    #[error("this is the last active owner")]
    LastOwner,
    /// The person's state does not allow it.
    #[error("the person is {0}")]
    WrongStatus(&'static str),
    /// dunlin is not set up for it.
    #[error("{0} is not set up here")]
    NotSetUp(&'static str),
    /// Too much work at once.
    #[error("the server has more sign-ins to check than it can")]
    Overloaded,
    /// Something that must not happen, without details.
    #[error("dunlin failed while {0}")]
    Internal(&'static str),
}

/// What kind of refusal, for a status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Who asks is not known (HTTP 401).
    Unauthenticated,
    /// Who asks may not (403).
    Forbidden,
    /// It is not there (404).
    NotFound,
    /// It does not fit what is there (409).
    Conflict,
    /// What was sent is not right (422).
    Invalid,
    /// Too often (429).
    TooMany,
    /// Too much at once (503).
    Busy,
    /// Our fault (500).
    Internal,
}

impl GuardError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            GuardError::Store(StoreError::Busy) => "state_busy",
            GuardError::Store(_) => "state_failed",
            GuardError::SignInRefused => "sign_in_refused",
            GuardError::Throttled { .. } => "throttled",
            GuardError::NotSignedIn => "not_signed_in",
            GuardError::SecondFactorNeeded => "second_factor_needed",
            GuardError::EnrolmentNeeded => "enrolment_needed",
            GuardError::FreshFactorNeeded => "fresh_factor_needed",
            GuardError::FactorRefused => "factor_refused",
            GuardError::LinkSpent => "link_spent",
            GuardError::FormRefused => "form_refused",
            GuardError::WeakPassword(_) => "weak_password",
            GuardError::Unknown(_) => "unknown",
            GuardError::Taken(_) => "taken",
            GuardError::Invalid { .. } => "invalid",
            GuardError::LastOwner => "last_owner",
            GuardError::WrongStatus(_) => "wrong_status",
            GuardError::NotSetUp(_) => "not_set_up",
            GuardError::Overloaded => "overloaded",
            GuardError::Internal(_) => "internal",
        }
    }

    /// What kind of refusal it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            GuardError::Store(StoreError::Busy) | GuardError::Overloaded => ErrorKind::Busy,
            GuardError::Store(_) | GuardError::Internal(_) => ErrorKind::Internal,
            GuardError::SignInRefused | GuardError::NotSignedIn => ErrorKind::Unauthenticated,
            GuardError::FactorRefused => ErrorKind::Unauthenticated,
            GuardError::SecondFactorNeeded | GuardError::EnrolmentNeeded => ErrorKind::Forbidden,
            GuardError::FreshFactorNeeded | GuardError::FormRefused => ErrorKind::Forbidden,
            GuardError::Throttled { .. } => ErrorKind::TooMany,
            GuardError::Unknown(_) | GuardError::LinkSpent => ErrorKind::NotFound,
            GuardError::Taken(_) | GuardError::LastOwner | GuardError::WrongStatus(_) => ErrorKind::Conflict,
            GuardError::WeakPassword(_) | GuardError::Invalid { .. } | GuardError::NotSetUp(_) => {
                ErrorKind::Invalid
            }
        }
    }

    /// How to mend it, where there is more to say than the message does.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            GuardError::SignInRefused => {
                "check the address and the password; after several wrong ones wait, use a passkey, or ask for a link by e-mail"
            }
            GuardError::Throttled { .. } => "wait, or use a passkey or another network",
            GuardError::NotSignedIn => "sign in again",
            GuardError::SecondFactorNeeded => {
                "enter the code of your app, a recovery code, or use your passkey"
            }
            GuardError::EnrolmentNeeded => "set up an app for one-time codes, or a passkey",
            GuardError::FreshFactorNeeded => "show your second factor, then do it again",
            GuardError::FactorRefused => "wait for the next code, or use a recovery code or a passkey",
            GuardError::LinkSpent => "ask for a new one",
            GuardError::FormRefused => "load the page again and send the form once more",
            GuardError::LastOwner => "make somebody else an owner first",
            GuardError::NotSetUp(_) => "see `server.toml`",
            GuardError::Overloaded | GuardError::Store(StoreError::Busy) => "try again in a moment",
            _ => return None,
        })
    }
}

/// Turns an error of sqlx into one without its text; `doing` says what failed.
pub(crate) fn db(doing: &'static str) -> impl Fn(sqlx::Error) -> GuardError {
    move |error| GuardError::Store(dunlin_store::database_error(doing, &error))
}
