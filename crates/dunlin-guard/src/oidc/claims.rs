//! What a provider says about a person, and what of it dunlin believes.

use std::collections::HashMap;

use dunlin_plan::Role;
use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ProviderSettings;

/// Every claim beyond the standard ones, as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AllClaims {
    #[serde(flatten)]
    rest: HashMap<String, Value>,
}

impl AdditionalClaims for AllClaims {}

/// What a provider says about a person. It has no `Debug`: it holds what people are.
#[derive(Clone, PartialEq)]
pub struct Claims(Value);

impl Claims {
    /// From the claims of an ID token, and of the user-info endpoint for what the token does not say. The caller
    /// has checked both.
    pub fn new(token: Value, user_info: Option<Value>) -> Claims {
        let mut all = user_info.filter(Value::is_object).unwrap_or_else(|| Value::Object(Default::default()));
        if let (Some(all), Value::Object(token)) = (all.as_object_mut(), token) {
            all.extend(token.into_iter().filter(|(_, value)| !value.is_null()));
        }
        Claims(all)
    }

    fn at(&self, path: &str) -> Option<&Value> {
        // A claim's own name may hold dots (Auth0 wants a URL): the whole name goes first.
        self.0.get(path).or_else(|| path.split('.').try_fold(&self.0, |value, part| value.get(part)))
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.at(path).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty())
    }

    /// A claim's text, or its whole number; a dot leads into objects.
    pub fn claim(&self, path: &str) -> Option<String> {
        match self.at(path) {
            Some(Value::Number(n)) if n.is_i64() || n.is_u64() => Some(n.to_string()),
            _ => self.text(path).map(str::to_owned),
        }
    }

    /// When they signed in at the provider, in seconds since 1970 UTC.
    pub(super) fn signed_in_at(&self) -> Option<i64> {
        self.at("auth_time").and_then(Value::as_i64)
    }

    /// Who it is, for ever the same at this provider.
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// The address, when the provider says that it is verified.
    pub fn verified_email(&self, settings: &ProviderSettings) -> Option<&str> {
        let vouched = match self.at(&settings.verified_claim) {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::Number(n)) => n.as_i64() == Some(1),
            Some(Value::String(text)) => text == "true" || text == "1",
            _ => false,
        };
        if vouched { self.text("email") } else { None }
    }

    /// What to call them.
    pub fn name(&self) -> Option<&str> {
        self.text("name").or_else(|| self.text("preferred_username"))
    }

    /// The groups that the settings' claim lists.
    pub fn groups(&self, settings: &ProviderSettings) -> Vec<&str> {
        match settings.groups_claim.as_deref().and_then(|claim| self.at(claim)) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        }
    }

    /// The role that the groups give: the first of the settings' list that fits.
    pub(super) fn role(&self, settings: &ProviderSettings, roles: &[(String, Role)]) -> Option<Role> {
        let groups = self.groups(settings);
        roles.iter().find(|(group, _)| groups.contains(&group.as_str())).map(|(_, role)| *role)
    }

    /// Whether the provider says that two factors were shown, and the settings believe it.
    pub fn two_factors(&self, settings: &ProviderSettings) -> bool {
        let amr = self.at("amr").and_then(Value::as_array);
        let methods = amr.into_iter().flatten().filter_map(Value::as_str);
        let by_method = methods.into_iter().any(|m| settings.mfa_amr.iter().any(|known| known == m));
        by_method || self.text("acr").is_some_and(|acr| settings.mfa_acr.iter().any(|known| known == acr))
    }
}
