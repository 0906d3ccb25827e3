//! Why a call did not happen or did not answer. Never the address's path or query, never a body.

/// Why an outgoing call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// The address has no host, or is not http(s).
    #[error("this is not an http or https address; write it as https://host/path")]
    BadAddress,
    /// The address holds a user name or a password.
    #[error("an address to call may hold no user name and no password; send a header instead")]
    Credentials,
    /// The name does not resolve.
    #[error("the host's name leads to no address; look at its spelling and at the name server")]
    NotFound,
    /// The address is one that dunlin does not call.
    #[error(
        "the host leads to {0}, which is not called; add the host to `allow_hosts` in server.toml if it is meant"
    )]
    Refused(&'static str),
    /// Not over TLS, and not allow-listed.
    #[error("only https addresses are called; an http one must be in `allow_hosts` in server.toml")]
    Plain,
    /// The further certificate authorities are not certificates.
    #[error("the file of certificate authorities holds something that is not a PEM certificate")]
    Authorities,
    /// The client could not be made.
    #[error("the HTTP client could not be made")]
    Client,
    /// No connection: refused, unreachable, or TLS failed.
    #[error("no connection: the host refused it, cannot be reached, or its certificate is not trusted")]
    Connect,
    /// Too slow.
    #[error("the host did not answer within 5 seconds")]
    Timeout,
    /// More than [`super::MAX_ANSWER`] bytes.
    #[error("the answer was longer than 1 MB and was not read")]
    TooLong,
    /// The connection broke, or what came was no HTTP.
    #[error("the answer broke off, or was not HTTP")]
    Broken,
}

impl OutgoingError {
    /// A stable code, for states and logs.
    pub fn code(&self) -> &'static str {
        match self {
            OutgoingError::BadAddress => "bad_address",
            OutgoingError::Credentials => "credentials_in_address",
            OutgoingError::NotFound => "not_found",
            OutgoingError::Refused(_) => "refused_address",
            OutgoingError::Plain => "not_https",
            OutgoingError::Authorities => "bad_authorities",
            OutgoingError::Client => "client",
            OutgoingError::Connect => "no_connection",
            OutgoingError::Timeout => "timeout",
            OutgoingError::TooLong => "too_long",
            OutgoingError::Broken => "broken",
        }
    }

    /// Drops reqwest's own text, which holds the whole address.
    pub(super) fn from_reqwest(error: reqwest::Error) -> OutgoingError {
        if error.is_timeout() {
            OutgoingError::Timeout
        } else if error.is_connect() {
            OutgoingError::Connect
        } else {
            OutgoingError::Broken
        }
    }
}
