//! Errors as SCIM writes them (RFC 7644, 3.12).

use serde_json::{Value, json};

use crate::{ErrorKind, GuardError};

/// Why a SCIM request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ScimError {
    /// The HTTP status.
    pub status: u16,
    /// The kind of a refusal with status 400 or 409.
    pub scim_type: Option<&'static str>,
    /// What is wrong and how to mend it.
    pub detail: String,
}

impl ScimError {
    fn new(status: u16, scim_type: Option<&'static str>, detail: &str) -> ScimError {
        ScimError { status, scim_type, detail: detail.to_owned() }
    }

    pub(super) fn not_found() -> ScimError {
        ScimError::new(404, None, "there is no such user")
    }

    pub(super) fn uniqueness() -> ScimError {
        ScimError::new(409, Some("uniqueness"), "there is a user with this userName or externalId already")
    }

    pub(super) fn filter() -> ScimError {
        let detail =
            "filters have the form `userName eq \"ana@example.com\"`; also externalId, id, emails and active";
        ScimError::new(400, Some("invalidFilter"), detail)
    }

    pub(super) fn value(detail: &str) -> ScimError {
        ScimError::new(400, Some("invalidValue"), detail)
    }

    pub(super) fn path() -> ScimError {
        ScimError::new(400, Some("invalidPath"), "this path is not one of a user's attributes")
    }

    pub(super) fn syntax(detail: &str) -> ScimError {
        ScimError::new(400, Some("invalidSyntax"), detail)
    }

    pub(super) fn last_owner() -> ScimError {
        ScimError::new(409, None, "this is the last active owner: make somebody else an owner first")
    }

    pub(super) fn blocked() -> ScimError {
        ScimError::new(409, None, "a person has blocked this user: unblock them in dunlin, with a reason")
    }

    /// The body of the answer.
    pub fn to_json(&self) -> Value {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.to_string(),
            "detail": self.detail,
        });
        if let Some(kind) = self.scim_type {
            body["scimType"] = kind.into();
        }
        body
    }
}

impl From<GuardError> for ScimError {
    fn from(error: GuardError) -> ScimError {
        match error.kind() {
            ErrorKind::NotFound => ScimError::not_found(),
            ErrorKind::Invalid => ScimError::value(&error.to_string()),
            ErrorKind::Conflict => ScimError::new(409, None, &error.to_string()),
            ErrorKind::Busy => ScimError::new(503, None, "dunlin is busy: try again"),
            ErrorKind::Unauthenticated | ErrorKind::Forbidden => {
                ScimError::new(403, None, &error.to_string())
            }
            ErrorKind::TooMany => ScimError::new(429, None, "too many requests"),
            ErrorKind::Internal => ScimError::new(500, None, "dunlin failed"),
        }
    }
}
