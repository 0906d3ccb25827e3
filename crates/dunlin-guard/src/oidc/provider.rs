//! One identity provider: its settings, what it says about itself, and the library's client for it.

use std::str::FromStr;
use std::time::{Duration, Instant};

use dunlin_plan::Role;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    Client, ClientId, ClientSecret, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IdTokenFields, IssuerUrl, RedirectUrl, StandardErrorResponse,
    StandardTokenResponse,
};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::OidcError;
use super::claims::AllClaims;
use crate::outgoing::{Call, Outgoing, OutgoingError};
use crate::{GuardError, Secret};

/// How long a discovery document and its keys are used.
const FRESH: Duration = Duration::from_secs(600);

/// A group of the provider and the role that it gives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRole {
    /// The group, as the provider names it (Entra: its object id, or an app role's value).
    pub group: String,
    /// The role, e.g. `engineer`.
    pub role: String,
}

/// An identity provider.
///
/// | provider | issuer | groups_claim | verified_claim |
/// | --- | --- | --- | --- |
/// | Auth0 | `https://TENANT.auth0.com/` | a namespaced claim that an Action adds | `email_verified` |
/// | Okta | `https://ORG.okta.com/oauth2/default` | `groups` | `email_verified` |
/// | Entra | `https://login.microsoftonline.com/TENANT-ID/v2.0` | `roles` or `groups` | `xms_edov` |
/// | Keycloak | `https://HOST/realms/REALM` | `groups` or `realm_access.roles` | `email_verified` |
///
/// Entra lets a tenant's administrator write any address into `email`; only `xms_edov` says that its domain is
/// theirs. Its `common` issuer is refused: it stands for every company's people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// A short name in addresses: `[a-z0-9-]`.
    pub id: String,
    /// What stands on the button.
    pub label: String,
    /// The issuer, exactly as its discovery document says it.
    pub issuer: String,
    /// Our client id there.
    pub client_id: String,
    /// Our client secret there; none for a public client (PKCE is used in any case).
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// Scopes beyond `openid`.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim that lists groups; a dot leads into objects.
    #[serde(default)]
    pub groups_claim: Option<String>,
    /// Which group gives which role; the first that fits counts.
    #[serde(default)]
    pub roles: Vec<GroupRole>,
    /// Whether somebody unknown whose group gives a role gets an account.
    #[serde(default)]
    pub create: bool,
    /// The organisation of accounts that are made so; none is in-house.
    #[serde(default)]
    pub organisation: Option<String>,
    /// The claim that says that the address is verified.
    #[serde(default = "default_verified")]
    pub verified_claim: String,
    /// Values of `amr` that count as two factors, e.g. `["mfa"]`. None: the provider's word does not count.
    #[serde(default)]
    pub mfa_amr: Vec<String>,
    /// Values of `acr` that count as two factors.
    #[serde(default)]
    pub mfa_acr: Vec<String>,
}

fn default_scopes() -> Vec<String> {
    vec!["email".to_owned(), "profile".to_owned()]
}

fn default_verified() -> String {
    "email_verified".to_owned()
}

type Fields = IdTokenFields<
    AllClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// The library's client, with every claim kept.
pub(super) type ProviderClient = Client<
    AllClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider with its settings checked.
pub(super) struct Provider {
    pub(super) settings: ProviderSettings,
    issuer: IssuerUrl,
    pub(super) roles: Vec<(String, Role)>,
    known: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

impl Provider {
    pub(super) fn new(settings: ProviderSettings) -> Result<Provider, GuardError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if settings.id.is_empty() || settings.id.len() > 32 || !settings.id.chars().all(plain) {
            return Err(GuardError::Invalid {
                what: "`id` of an identity provider",
                help: "up to 32 of a-z 0-9 -",
            });
        }
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|_| GuardError::Invalid {
            what: "`issuer` of an identity provider",
            help: "the address in its discovery document, e.g. `https://org.okta.com/oauth2/default`",
        })?;
        let every = ["/common/", "/organizations/", "/consumers/"];
        if issuer.url().host_str() == Some("login.microsoftonline.com")
            && every.iter().any(|part| issuer.as_str().contains(part))
        {
            return Err(GuardError::Invalid {
                what: "`issuer` of an identity provider",
                help: "name your own tenant: this one stands for the people of every company",
            });
        }
        let role = |g: &GroupRole| {
            let role = Role::from_str(&g.role).map_err(|_| GuardError::Invalid {
                what: "a role of an identity provider",
                help: "owner, lead, engineer, steward, writer, approver, auditor or guest",
            })?;
            Ok((g.group.clone(), role))
        };
        let roles = settings.roles.iter().map(role).collect::<Result<Vec<_>, GuardError>>()?;
        Ok(Provider { settings, issuer, roles, known: Mutex::new(None) })
    }

    /// The client; `fresh` asks the provider anew, e.g. when it has changed its keys.
    pub(super) async fn client(
        &self,
        outgoing: &Outgoing,
        redirect: &str,
        fresh: bool,
    ) -> Result<ProviderClient, OidcError> {
        let mut known = self.known.lock().await;
        let metadata = match known.as_ref() {
            Some((at, metadata)) if !fresh && at.elapsed() < FRESH => metadata.clone(),
            _ => {
                let http = http(outgoing);
                let asked = CoreProviderMetadata::discover_async(self.issuer.clone(), &http).await;
                let metadata = asked.map_err(|error| match error {
                    DiscoveryError::Request(error) => OidcError::Unreachable(error),
                    _ => OidcError::Discovery,
                })?;
                *known = Some((Instant::now(), metadata.clone()));
                metadata
            }
        };
        drop(known);
        let redirect =
            RedirectUrl::new(redirect.to_owned()).map_err(|_| GuardError::NotSetUp("`public_url`"))?;
        let secret = self.settings.client_secret.as_ref().map(|s| ClientSecret::new(s.expose().to_owned()));
        let id = ClientId::new(self.settings.client_id.clone());
        Ok(ProviderClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(redirect))
    }

    /// The issuer, as it stands in tokens and answers.
    pub(super) fn issuer(&self) -> &str {
        self.issuer.as_str()
    }
}

/// The library's calls through the outgoing client.
pub(super) fn http(
    outgoing: &Outgoing,
) -> impl Fn(HttpRequest) -> futures::future::BoxFuture<'static, Result<HttpResponse, OutgoingError>> {
    let outgoing = outgoing.clone();
    move |request| {
        let outgoing = outgoing.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = url::Url::parse(&parts.uri.to_string()).map_err(|_| OutgoingError::BadAddress)?;
            let text = |v: &openidconnect::http::HeaderValue| v.to_str().ok().map(str::to_owned);
            let headers = parts.headers.iter().filter_map(|(n, v)| Some((n.as_str().to_owned(), text(v)?)));
            let call = Call { method: parts.method, url, headers: headers.collect(), body };
            let answer = outgoing.call(call).await?;
            let mut response = openidconnect::http::Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name, value);
            }
            response.body(answer.body).map_err(|_| OutgoingError::Broken)
        })
    }
}
