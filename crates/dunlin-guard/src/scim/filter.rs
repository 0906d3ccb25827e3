//! The filters that provisioning needs: one attribute equals one value.

use super::ScimError;
use super::user::Known;

/// A filter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filter {
    UserName(String),
    ExternalId(String),
    Id(String),
    Active(bool),
}

/// Reads `attribute eq value`; attributes have no case.
pub(super) fn parse(text: &str) -> Result<Filter, ScimError> {
    let text = text.trim();
    let mut words = text.splitn(3, char::is_whitespace);
    let (attribute, operator, value) = (words.next(), words.next(), words.next());
    let (Some(attribute), Some(operator), Some(value)) = (attribute, operator, value) else {
        return Err(ScimError::filter());
    };
    if !operator.eq_ignore_ascii_case("eq") {
        return Err(ScimError::filter());
    }
    let value: serde_json::Value = serde_json::from_str(value.trim()).map_err(|_| ScimError::filter())?;
    let short = attribute.rsplit("User:").next().unwrap_or(attribute).to_ascii_lowercase();
    match (short.as_str(), value) {
        ("username" | "emails" | "emails.value", serde_json::Value::String(text)) => {
            Ok(Filter::UserName(text))
        }
        ("externalid", serde_json::Value::String(text)) => Ok(Filter::ExternalId(text)),
        ("id", serde_json::Value::String(text)) => Ok(Filter::Id(text)),
        ("active", serde_json::Value::Bool(active)) => Ok(Filter::Active(active)),
        _ => Err(ScimError::filter()),
    }
}

impl Filter {
    /// Whether a user fits. `userName` has no case (RFC 7643, 4.1.1), `externalId` has.
    pub(super) fn fits(&self, user: &Known) -> bool {
        match self {
            Filter::UserName(text) => user.person.email == text.trim().to_lowercase(),
            Filter::ExternalId(text) => user.external_id.as_deref() == Some(text),
            Filter::Id(text) => user.person.id == *text,
            Filter::Active(active) => user.active() == *active,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_providers_send() {
        let name = || Ok(Filter::UserName("ana@example.com".into()));
        assert_eq!(parse(r#"userName eq "ana@example.com""#), name());
        assert_eq!(parse(r#"  USERNAME Eq   "ana@example.com" "#), name());
        assert_eq!(
            parse(r#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ana@example.com""#),
            name()
        );
        assert_eq!(parse(r#"externalId eq "a \" b""#), Ok(Filter::ExternalId("a \" b".into())));
        assert_eq!(parse("active eq true"), Ok(Filter::Active(true)));
        for bad in [
            "",
            "userName",
            "userName eq",
            "userName co \"a\"",
            "userName eq \"a\" or active eq true",
            "userName eq ana",
            "password eq \"x\"",
            "active eq \"yes\"",
        ] {
            assert_eq!(parse(bad), Err(ScimError::filter()), "{bad}");
        }
    }
}
