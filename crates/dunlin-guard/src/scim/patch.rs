//! `PATCH`: a list of operations (RFC 7644, 3.5.2), as Okta and Entra send them.

use serde_json::{Map, Value};

use super::user::{User, as_bool};
use super::{ScimError, ScimSettings};

/// Applies every operation to what is wanted, or fails without an effect that anybody keeps.
pub(super) fn apply(wanted: &mut User, body: &Value, settings: &ScimSettings) -> Result<(), ScimError> {
    let operations = body.get("Operations").or_else(|| body.get("operations")).and_then(Value::as_array);
    let operations = operations.ok_or_else(|| ScimError::syntax("a PATCH needs `Operations`"))?;
    for operation in operations {
        let word = operation.get("op").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let path = operation.get("path").and_then(Value::as_str).filter(|p| !p.is_empty());
        match (word.as_str(), path, operation.get("value")) {
            ("add" | "replace", Some(path), Some(value)) => set(wanted, path, value, settings)?,
            ("add" | "replace", None, Some(Value::Object(fields))) => set_all(wanted, fields, settings)?,
            ("remove", Some(path), _) => remove(wanted, path)?,
            _ => {
                return Err(ScimError::syntax(
                    "an operation needs `op` (add, replace, remove), `path` or `value`",
                ));
            }
        }
    }
    Ok(())
}

fn set_all(wanted: &mut User, fields: &Map<String, Value>, settings: &ScimSettings) -> Result<(), ScimError> {
    for (name, value) in fields {
        match (name.to_ascii_lowercase().as_str(), value) {
            ("name", Value::Object(parts)) => {
                for (part, value) in parts {
                    set(wanted, &format!("name.{part}"), value, settings)?;
                }
            }
            // What describes the resource is not a change of it.
            ("schemas" | "meta" | "id", _) => {}
            _ => set(wanted, name, value, settings)?,
        }
    }
    Ok(())
}

/// The attribute that a path names: lower case, without the schema's name and without a filter in brackets.
fn attribute(path: &str) -> Result<String, ScimError> {
    let core = "urn:ietf:params:scim:schemas:core:2.0:user:";
    let lower = path.trim().to_ascii_lowercase();
    let lower = lower.strip_prefix(core).unwrap_or(&lower);
    if lower.starts_with("urn:") {
        return Ok("extension".to_owned());
    }
    let (before, after) = match (lower.split_once('['), lower.split_once(']')) {
        (Some((before, _)), Some((_, after))) => (before, after),
        (None, None) => (lower, ""),
        _ => return Err(ScimError::path()),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '$');
    let name = format!("{before}{after}");
    if name.is_empty() || !name.chars().all(plain) { Err(ScimError::path()) } else { Ok(name) }
}

fn set(wanted: &mut User, path: &str, value: &Value, settings: &ScimSettings) -> Result<(), ScimError> {
    let text = || value.as_str().ok_or_else(|| ScimError::value("this attribute is a text"));
    match attribute(path)?.as_str() {
        "active" => {
            wanted.active = as_bool(value).ok_or_else(|| ScimError::value("`active` is true or false"))?
        }
        "username" => wanted.set_email(text()?)?,
        "externalid" => wanted.external_id = Some(text()?.to_owned()),
        "displayname" | "name.formatted" => wanted.set_name(text()?),
        "name.givenname" => wanted.set_given(text()?),
        "name.familyname" => wanted.set_family(text()?),
        "roles" | "roles.value" => wanted.set_roles(value, settings),
        known if known_elsewhere(known) => {}
        _ => return Err(ScimError::path()),
    }
    Ok(())
}

fn remove(wanted: &mut User, path: &str) -> Result<(), ScimError> {
    match attribute(path)?.as_str() {
        "externalid" => wanted.external_id = None,
        "roles" | "roles.value" => wanted.role = None,
        "username" | "active" => return Err(ScimError::value("this attribute cannot be removed")),
        "displayname" | "name" | "name.formatted" | "name.givenname" | "name.familyname" => {}
        known if known_elsewhere(known) => {}
        _ => return Err(ScimError::path()),
    }
    Ok(())
}

/// Attributes of RFC 7643 that dunlin has no use for and does not keep: providers send them all the same.
fn known_elsewhere(attribute: &str) -> bool {
    let first = attribute.split('.').next().unwrap_or_default();
    matches!(
        first,
        "extension"
            | "emails"
            | "name"
            | "nickname"
            | "profileurl"
            | "title"
            | "usertype"
            | "preferredlanguage"
            | "locale"
            | "timezone"
            | "password"
            | "phonenumbers"
            | "ims"
            | "photos"
            | "addresses"
            | "groups"
            | "entitlements"
            | "x509certificates"
    )
}
