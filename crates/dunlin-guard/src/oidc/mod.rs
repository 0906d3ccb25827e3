//! Signing in at an identity provider by OpenID Connect: discovery, authorization code with PKCE, state and nonce.
//!
//! Everything that is fetched goes through the one outgoing client, so neither a provider's settings nor its
//! discovery document can make dunlin call into its own network. A sign-in is bound to the browser that began it
//! (a cookie), lives ten minutes and is spent once. The ID token is checked by the library: signature, issuer,
//! audience, expiry, nonce, and the access token's hash.
//!
//! Not here: what a session may do (`session`), and the pages (the server).

mod claims;
mod error;
mod flow;
mod join;
mod provider;
#[cfg(test)]
mod tests;

pub use claims::Claims;
pub use error::OidcError;
pub use flow::{Answer, Begun};
pub use provider::{GroupRole, ProviderSettings};

use std::sync::Arc;

use provider::Provider;

use crate::outgoing::Outgoing;
use crate::{Guard, GuardError};

/// The identity providers of the settings. Cheap to clone.
#[derive(Clone)]
pub struct Oidc {
    guard: Guard,
    client: Outgoing,
    providers: Arc<Vec<Provider>>,
}

impl Oidc {
    /// Checks the settings; calls nobody yet.
    pub fn new(guard: Guard, client: Outgoing, settings: Vec<ProviderSettings>) -> Result<Oidc, GuardError> {
        let mut providers: Vec<Provider> = Vec::new();
        for one in settings {
            if providers.iter().any(|p| p.settings.id == one.id) {
                return Err(GuardError::Taken("identity provider"));
            }
            providers.push(Provider::new(one)?);
        }
        Ok(Oidc { guard, client, providers: Arc::new(providers) })
    }

    /// Id and label of each provider, for the buttons of the sign-in page.
    pub fn providers(&self) -> Vec<(String, String)> {
        self.providers.iter().map(|p| (p.settings.id.clone(), p.settings.label.clone())).collect()
    }

    fn provider(&self, id: &str) -> Result<&Provider, GuardError> {
        self.providers.iter().find(|p| p.settings.id == id).ok_or(GuardError::Unknown("identity provider"))
    }
}
