//! The two steps of a sign-in: to the provider, and back.

use openidconnect::core::{CoreAuthenticationFlow, CoreGenderClaim, CoreResponseType};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClaimsVerificationError, CsrfToken, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, Scope, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row;
use subtle::ConstantTimeEq;
use url::Url;

use super::claims::AllClaims;
use super::provider::{Provider, ProviderClient, http};
use super::{CUSTOMERS, Claims, Oidc, OidcError};
use crate::error::db;
use crate::outgoing::seal::{open, seal};
use crate::token::{Secret, new_token, token_hash};
use crate::{GuardError, Origin, SignedIn};

/// How long a sign-in may take at the provider, in microseconds.
const TAKES_US: i64 = 10 * 60 * 1_000_000;

/// How old a customer's sign-in at the provider may be before it asks anew: as old as one by a link.
const SIGN_IN_AGE: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// What a provider says about a customer. It has no `Debug`: it holds who that is.
pub struct Customer {
    /// All that it says.
    pub claims: Claims,
    /// The address, where the provider vouches for it.
    pub email: Option<String>,
    /// When they signed in there, in seconds since 1970 UTC, where it says so.
    pub signed_in_at: Option<i64>,
}

/// A sign-in that has begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Where the browser goes.
    pub url: Url,
    /// What the browser keeps in a cookie (HttpOnly, SameSite=Lax, ten minutes) and brings back.
    pub browser: Secret,
}

/// What the provider sends back in the query of the redirect.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Answer {
    /// Which sign-in it is.
    #[serde(default)]
    pub state: String,
    /// The code for the tokens.
    #[serde(default)]
    pub code: Option<Secret>,
    /// Who answers (RFC 9207), where the provider says it.
    #[serde(default)]
    pub iss: Option<String>,
    /// That there is no code, and why.
    #[serde(default)]
    pub error: Option<String>,
}

/// What is kept, sealed, until the provider answers.
#[derive(Serialize, Deserialize)]
struct Kept {
    nonce: String,
    verifier: String,
}

impl Oidc {
    /// The address that a provider sends people back to; it must be registered there.
    pub fn redirect_url(&self, provider: &str) -> Result<String, GuardError> {
        self.guard.link(&self.back.replace("ID", provider))
    }

    /// Begins a sign-in.
    pub async fn begin(&self, provider: &str) -> Result<Begun, OidcError> {
        let provider = self.provider(provider)?;
        let redirect = self.redirect_url(&provider.settings.id)?;
        let client = provider.client(&self.client, &redirect, false).await?;
        let (state, nonce, browser) = (new_token()?, new_token()?, new_token()?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state_text, nonce_text) = (state.expose().to_owned(), nonce.expose().to_owned());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode
                    as openidconnect::AuthenticationFlow<CoreResponseType>,
                move || CsrfToken::new(state_text),
                move || Nonce::new(nonce_text),
            )
            .set_pkce_challenge(challenge);
        if provider.settings.id == CUSTOMERS {
            // What cannot be taken back asks for a new sign-in: an old one at the provider is told by its time.
            request = request.set_max_age(SIGN_IN_AGE);
        }
        for scope in &provider.settings.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, _, _) = request.url();
        let hash = token_hash("oidc state", state.expose());
        let kept = Kept { nonce: nonce.expose().to_owned(), verifier: verifier.secret().clone() };
        let plain = serde_json::to_vec(&kept).map_err(|_| GuardError::Internal("keeping a sign-in"))?;
        let mut tx = self.guard.state().begin().await.map_err(GuardError::from)?;
        let now = self.guard.clock().keep(&mut tx).await?;
        sqlx::query("delete from oidc_flows where until_at <= $1")
            .bind(now.late)
            .execute(tx.connection())
            .await
            .map_err(db("keeping a sign-in"))?;
        sqlx::query(
            "insert into oidc_flows (state_hash, browser_hash, provider, sealed, until_at) values ($1, $2, $3, $4, $5)",
        )
        .bind(&hash)
        .bind(token_hash("oidc browser", browser.expose()))
        .bind(&provider.settings.id)
        .bind(seal(self.guard.keys(), &hash, &plain)?)
        .bind(now.late + TAKES_US)
        .execute(tx.connection())
        .await
        .map_err(db("keeping a sign-in"))?;
        tx.commit().await.map_err(GuardError::from)?;
        Ok(Begun { url, browser })
    }

    /// Ends a sign-in: `browser` is what the cookie brings. Whatever happens, it is spent.
    pub async fn finish(
        &self,
        provider: &str,
        origin: &Origin,
        browser: &Secret,
        answer: Answer,
    ) -> Result<SignedIn, OidcError> {
        let provider = self.provider(provider)?;
        let claims = self.answered(provider, browser, answer).await?;
        let person = self.join(provider, &claims).await?;
        let two = claims.two_factors(&provider.settings);
        Ok(self.guard.sign_in_federated(origin, &person, "oidc", two).await?)
    }

    /// Ends a customer's sign-in: what the provider says about them, checked. Whatever happens, it is spent.
    pub async fn finish_customer(&self, browser: &Secret, answer: Answer) -> Result<Customer, OidcError> {
        let provider = self.provider(CUSTOMERS)?;
        let claims = self.answered(provider, browser, answer).await?;
        let email = claims.verified_email(&provider.settings).map(str::to_owned);
        let signed_in_at = claims.signed_in_at();
        Ok(Customer { claims, email, signed_in_at })
    }

    async fn answered(
        &self,
        provider: &Provider,
        browser: &Secret,
        answer: Answer,
    ) -> Result<Claims, OidcError> {
        let kept = self.spend(provider, browser, &answer.state).await?;
        if answer.iss.as_deref().is_some_and(|iss| iss != provider.issuer()) {
            return Err(OidcError::Declined);
        }
        let (Some(code), None) = (&answer.code, &answer.error) else { return Err(OidcError::Declined) };
        self.ask(provider, code, kept).await
    }

    /// Takes a begun sign-in out of the state, when it is this browser's and its time is not over.
    async fn spend(&self, provider: &Provider, browser: &Secret, state: &str) -> Result<Kept, OidcError> {
        let failed = db("reading a sign-in");
        let hash = token_hash("oidc state", state);
        let mut tx = self.guard.state().begin().await.map_err(GuardError::from)?;
        let now = self.guard.clock().keep(&mut tx).await?;
        let row = sqlx::query(
            "delete from oidc_flows where state_hash = $1 and provider = $2 returning browser_hash, sealed, until_at",
        )
        .bind(&hash)
        .bind(&provider.settings.id)
        .fetch_optional(tx.connection())
        .await
        .map_err(&failed)?;
        tx.commit().await.map_err(GuardError::from)?;
        let row = row.ok_or(OidcError::Stale)?;
        let known: String = row.try_get(0).map_err(&failed)?;
        let until: i64 = row.try_get(2).map_err(&failed)?;
        let mine = token_hash("oidc browser", browser.expose());
        if until <= now.late || !bool::from(known.as_bytes().ct_eq(mine.as_bytes())) {
            return Err(OidcError::Stale);
        }
        let sealed: Vec<u8> = row.try_get(1).map_err(&failed)?;
        let plain = open(self.guard.keys(), &hash, &sealed)?;
        serde_json::from_slice(&plain).map_err(|_| GuardError::Internal("reading a sign-in").into())
    }

    /// Exchanges the code and checks what comes.
    async fn ask(&self, provider: &Provider, code: &Secret, kept: Kept) -> Result<Claims, OidcError> {
        let redirect = self.redirect_url(&provider.settings.id)?;
        let client = provider.client(&self.client, &redirect, false).await?;
        let call = http(&self.client);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .map_err(|_| OidcError::Discovery)?
            .set_pkce_verifier(PkceCodeVerifier::new(kept.verifier))
            .request_async(&call)
            .await
            .map_err(|error| match error {
                openidconnect::RequestTokenError::Request(error) => OidcError::Unreachable(error),
                _ => OidcError::Exchange,
            })?;
        let nonce = Nonce::new(kept.nonce);
        let token = match checked(&client, &tokens, &nonce) {
            // The provider may have changed its keys since we asked for them.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let client = provider.client(&self.client, &redirect, true).await?;
                checked(&client, &tokens, &nonce)
            }
            other => other,
        };
        let token = token.map_err(|_| OidcError::BadToken)?;
        let subject = token.get("sub").and_then(Value::as_str).ok_or(OidcError::BadToken)?.to_owned();
        let info = self.user_info(&client, tokens.access_token().clone(), subject).await?;
        Ok(Claims::new(token, info))
    }

    /// What the user-info endpoint says, when there is one and it speaks of the same person.
    async fn user_info(
        &self,
        client: &ProviderClient,
        token: openidconnect::AccessToken,
        subject: String,
    ) -> Result<Option<Value>, OidcError> {
        let subject = openidconnect::SubjectIdentifier::new(subject);
        let Ok(request) = client.user_info(token, Some(subject)) else { return Ok(None) };
        let call = http(&self.client);
        let info: UserInfoClaims<AllClaims, CoreGenderClaim> =
            request.request_async(&call).await.map_err(|_| OidcError::BadToken)?;
        Ok(serde_json::to_value(&info).ok())
    }
}

/// The claims of an ID token that holds against every check.
fn checked<R>(client: &ProviderClient, tokens: &R, nonce: &Nonce) -> Result<Value, ClaimsVerificationError>
where
    R: TokenResponse<
            AllClaims,
            CoreGenderClaim,
            openidconnect::core::CoreJweContentEncryptionAlgorithm,
            openidconnect::core::CoreJwsSigningAlgorithm,
        > + OAuth2TokenResponse,
{
    let other = |what: &str| ClaimsVerificationError::Other(what.to_owned());
    let token = tokens.id_token().ok_or_else(|| other("no ID token"))?;
    let verifier = client.id_token_verifier();
    let claims = token.claims(&verifier, nonce)?;
    if let Some(expected) = claims.access_token_hash() {
        let bad = |_| other("the access token's hash");
        let key = token.signing_key(&verifier).map_err(ClaimsVerificationError::SignatureVerification)?;
        let alg = token.signing_alg().map_err(ClaimsVerificationError::SignatureVerification)?;
        let actual = AccessTokenHash::from_token(tokens.access_token(), alg, key).map_err(bad)?;
        if actual != *expected {
            return Err(other("the access token's hash"));
        }
    }
    serde_json::to_value(claims).map_err(|_| other("unreadable claims"))
}
