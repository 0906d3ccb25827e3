//! Why a sign-in at a provider failed. What the provider said is not repeated: it may hold codes and addresses.

use crate::outgoing::OutgoingError;
use crate::{ErrorKind, GuardError};

/// Why a sign-in at a provider failed.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The guard refused or failed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The provider could not be reached, or may not be called.
    #[error("the identity provider: {0}")]
    Unreachable(#[from] OutgoingError),
    /// What the provider says about itself cannot be used.
    #[error("the identity provider's discovery document cannot be used: look at `issuer` in server.toml")]
    Discovery,
    /// The provider did not give tokens for the code.
    #[error("the identity provider did not accept the sign-in: look at client id and secret in server.toml")]
    Exchange,
    /// The tokens are not what they must be.
    #[error("the identity provider's token is not valid")]
    BadToken,
    /// The sign-in was not begun in this browser, took too long, or was used already.
    #[error("this sign-in was not begun in this browser, took too long, or was used already")]
    Stale,
    /// The provider, or the person there, said no.
    #[error("the identity provider did not sign you in")]
    Declined,
    /// There is no account for this person, and none may be made.
    #[error(
        "you have no account here: ask an owner for an invitation, or to be put into a group that has a role"
    )]
    NoAccount,
    /// The provider does not say that the address is verified.
    #[error("the identity provider does not vouch for your e-mail address")]
    EmailNotVerified,
}

impl OidcError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            OidcError::Guard(error) => error.code(),
            OidcError::Unreachable(_) => "provider_unreachable",
            OidcError::Discovery => "provider_discovery",
            OidcError::Exchange => "provider_exchange",
            OidcError::BadToken => "provider_token",
            OidcError::Stale => "sign_in_stale",
            OidcError::Declined => "provider_declined",
            OidcError::NoAccount => "no_account",
            OidcError::EmailNotVerified => "email_not_verified",
        }
    }

    /// What kind of refusal it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            OidcError::Guard(error) => error.kind(),
            OidcError::Unreachable(_) | OidcError::Discovery | OidcError::Exchange => ErrorKind::Busy,
            OidcError::NoAccount | OidcError::EmailNotVerified => ErrorKind::Forbidden,
            OidcError::BadToken | OidcError::Stale | OidcError::Declined => ErrorKind::Unauthenticated,
        }
    }
}
