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
pub use flow::{Answer, Begun, Customer};
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
    /// The path that providers send browsers back to; `ID` stands for the provider's.
    back: &'static str,
}

/// The provider of customers: nobody's who works on the move.
pub const CUSTOMERS: &str = "customers";

impl Oidc {
    /// Checks the settings; calls nobody yet.
    pub fn new(guard: Guard, client: Outgoing, settings: Vec<ProviderSettings>) -> Result<Oidc, GuardError> {
        let mut providers: Vec<Provider> = Vec::new();
        for one in settings {
            if one.id == CUSTOMERS || providers.iter().any(|p| p.settings.id == one.id) {
                return Err(GuardError::Taken("identity provider"));
            }
            providers.push(Provider::new(one)?);
        }
        Ok(Oidc { guard, client, providers: Arc::new(providers), back: "/oidc/ID/back" })
    }

    /// Where customers sign in to their own page, of which there is one provider at most. What it says makes no session
    /// of the guard's: see [`Oidc::finish_customer`].
    pub fn for_customers(
        guard: Guard,
        client: Outgoing,
        settings: Option<ProviderSettings>,
    ) -> Result<Oidc, GuardError> {
        let provider =
            settings.map(|one| Provider::new(ProviderSettings { id: CUSTOMERS.to_owned(), ..one }));
        let providers = Arc::new(provider.transpose()?.into_iter().collect());
        Ok(Oidc { guard, client, providers, back: "/tell/me/oidc/back" })
    }

    /// Id and label of each provider, for the buttons of the sign-in page.
    pub fn providers(&self) -> Vec<(String, String)> {
        self.providers.iter().map(|p| (p.settings.id.clone(), p.settings.label.clone())).collect()
    }

    fn provider(&self, id: &str) -> Result<&Provider, GuardError> {
        self.providers.iter().find(|p| p.settings.id == id).ok_or(GuardError::Unknown("identity provider"))
    }
}
