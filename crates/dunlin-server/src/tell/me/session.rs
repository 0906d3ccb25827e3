//! A customer's session: who signed in, by what, and how long ago. It is kept apart from people's sessions in every way:
//! another cookie, another table, other hashes; nothing of the API looks at it.
//!
//! What names the customer is sealed under the session's own token. The state holds the token's hash alone, so that the
//! state without the customer's browser names nobody.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dunlin_guard::{Guard, Secret};
use dunlin_store::{CustomerSession, Purpose, Workspace};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::cookies;
use crate::problem::Problem;
use crate::requests::CustomerKey;

/// How long a session lives, in microseconds.
const LIFE_US: i64 = 30 * 60 * 1_000_000;
/// How long a sign-in is new enough for a deletion or a copy; and how long links and tickets hold.
pub(super) const FRESH_US: i64 = 15 * 60 * 1_000_000;

/// Who has signed in. Customer data: it has no `Debug`.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// The key; none where one address has several customers.
    pub(super) key: Option<String>,
    /// The address that a link went to, or that a provider vouches for.
    pub(super) email: Option<String>,
    /// The address in the customer's own row. It shows nothing: it is written to, no more.
    #[serde(default)]
    pub(super) row_email: Option<String>,
    /// The language of the customer's own row, as it stands there.
    #[serde(default)]
    pub(super) locale: Option<String>,
}

impl Known {
    /// Where letters to them go.
    pub(super) fn write_to(&self) -> Option<String> {
        self.email.clone().or_else(|| self.row_email.clone())
    }
}

/// A customer who is signed in.
pub(super) struct Customer {
    pub(super) known: Known,
    pub(super) token: Secret,
    session: CustomerSession,
}

impl Customer {
    pub(super) fn key(&self) -> Option<CustomerKey> {
        self.known.key.clone().map(CustomerKey)
    }

    /// Whether the sign-in is new enough for what cannot be taken back.
    pub(super) fn is_fresh(&self, app: &App) -> bool {
        app.guard.now().late.saturating_sub(self.session.signed_in_late) < FRESH_US
    }

    /// What a form must send back.
    pub(super) fn form_token(&self, app: &App) -> Result<String, Problem> {
        Ok(app.guard.form_token(&self.token)?)
    }
}

fn cookie_name(app: &App) -> &'static str {
    // `__Host-` would need the path `/`, and this cookie is for `/tell` alone.
    if app.config.is_secure() { "__Secure-dunlin-me" } else { "dunlin-me" }
}

fn cookie(app: &App, token: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if app.config.is_secure() { "; Secure" } else { "" };
    let text = format!(
        "{}={token}; Path=/tell; HttpOnly; SameSite=Lax{secure}; Max-Age={seconds}",
        cookie_name(app)
    );
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The customer of a request.
pub(super) async fn customer(app: &App, headers: &HeaderMap) -> Result<Option<Customer>, Problem> {
    let Some(token) = cookies::value(headers, cookie_name(app)).filter(|token| token.len() <= 64) else {
        return Ok(None);
    };
    let token = Secret::new(token);
    let hash = app.guard.customer_token_hash("session", &token);
    let state = app.workspace.state();
    let Some(session) = state.customer_session(&hash, app.guard.now().late).await? else { return Ok(None) };
    let known = opened(&token_key(&token, "session"), &session.sealed);
    Ok(known.map(|known| Customer { known, token, session }))
}

/// Begins a session; gives its cookie. `at` is when the customer showed who they are, by the clock that never goes back.
pub(super) async fn begin(app: &App, known: &Known, how: &str, at: i64) -> Result<HeaderValue, Problem> {
    let token = app.guard.new_customer_token()?;
    let now = app.guard.now().late;
    let subject = match &known.key {
        Some(key) => app.workspace.keys().subject_name(key)?,
        None => String::new(),
    };
    let session = CustomerSession {
        hash: app.guard.customer_token_hash("session", &token),
        subject,
        sealed: sealed(&token_key(&token, "session"), known)?,
        how: how.to_owned(),
        signed_in_late: at.min(now),
        until_late: now + LIFE_US,
    };
    let mut tx = app.workspace.state().begin().await?;
    tx.insert_customer_session(&session).await?;
    tx.commit().await?;
    cookie(app, token.expose(), LIFE_US / 1_000_000).ok_or_else(Problem::internal)
}

/// Ends a session; gives what takes its cookie back.
pub(super) async fn end(app: &App, customer: &Customer) -> Result<HeaderValue, Problem> {
    let mut tx = app.workspace.state().begin().await?;
    tx.end_customer_session(&customer.session.hash).await?;
    tx.commit().await?;
    cookie(app, "", 0).ok_or_else(Problem::internal)
}

/// Keeps a link by e-mail for whom it may show; gives its token.
pub(super) async fn new_link(workspace: &Workspace, guard: &Guard, known: &Known) -> Result<Secret, Problem> {
    let token = guard.new_customer_token()?;
    let hash = guard.customer_token_hash("link", &token);
    let until = guard.now().late + FRESH_US;
    let mut tx = workspace.state().begin().await?;
    tx.insert_customer_link(&hash, &sealed(&token_key(&token, "link"), known)?, until).await?;
    tx.commit().await?;
    Ok(token)
}

/// The path of a link that shows one customer their page: as if it had been mailed, good once within 15 minutes. For
/// whoever made the workspace's customers up.
///
/// # Errors
/// Those of the state and of the operating system's random bytes.
pub async fn customer_link(
    workspace: &Workspace,
    guard: &Guard,
    key: &CustomerKey,
) -> Result<String, Problem> {
    let known = Known { key: Some(key.0.clone()), ..Known::default() };
    let token = new_link(workspace, guard, &known).await?;
    Ok(format!("/tell/me/in/{}", token.expose()))
}

/// Keeps a link to the copy that a request asks for, and to nothing else; gives its path, and until when it is good by
/// the clock that never goes back.
pub(crate) async fn copy_link(
    workspace: &Workspace,
    guard: &Guard,
    request: &str,
) -> Result<(String, i64), Problem> {
    let token = guard.new_customer_token()?;
    let hash = guard.customer_token_hash("copy", &token);
    let until = guard.now().late + FRESH_US;
    let mut tx = workspace.state().begin().await?;
    tx.insert_customer_link(&hash, &sealed(&token_key(&token, "copy"), &request)?, until).await?;
    tx.commit().await?;
    Ok((format!("/tell/me/copy/{}", token.expose()), until))
}

/// Spends such a link; the request whose copy it leads to.
pub(super) async fn spend_copy(app: &App, token: &Secret) -> Result<Option<String>, Problem> {
    let hash = app.guard.customer_token_hash("copy", token);
    let mut tx = app.workspace.state().begin().await?;
    let held = tx.spend_customer_link(&hash, app.guard.now().late).await?;
    tx.commit().await?;
    Ok(held.and_then(|(held, _)| opened(&token_key(token, "copy"), &held)))
}

/// Whether a link of this kind, `link` or `copy`, could be spent.
pub(super) async fn is_good(app: &App, kind: &str, token: &Secret) -> Result<bool, Problem> {
    let hash = app.guard.customer_token_hash(kind, token);
    Ok(app.workspace.state().customer_link_is_good(&hash, app.guard.now().late).await?)
}

/// Spends a link.
pub(super) async fn spend(app: &App, token: &Secret) -> Result<Option<(Known, i64)>, Problem> {
    let hash = app.guard.customer_token_hash("link", token);
    let mut tx = app.workspace.state().begin().await?;
    let held = tx.spend_customer_link(&hash, app.guard.now().late).await?;
    tx.commit().await?;
    let Some((held, until)) = held else { return Ok(None) };
    Ok(opened(&token_key(token, "link"), &held).map(|known| (known, until.saturating_sub(FRESH_US))))
}

/// What a ticket says: whom a host app named, and when.
#[derive(Serialize, Deserialize)]
struct Ticket {
    key: String,
    at: i64,
}

/// A ticket that stands in the links of a card which a host app showed to a person it had named: good for one sign-in,
/// for as long as a link by e-mail. Nothing is kept of it until it is used.
pub(crate) fn ticket(app: &App, key: &str) -> Result<String, Problem> {
    let ticket = Ticket { key: key.to_owned(), at: app.guard.now().late };
    let salt = app.guard.new_customer_token()?;
    let salt = &salt.expose()[..22];
    let sealed = sealed(&ticket_key(app, salt)?, &ticket)?;
    Ok(format!("{salt}.{sealed}"))
}

/// Takes a ticket out of use; whom it names, and when the app did.
pub(super) async fn punch(app: &App, ticket: &str) -> Result<Option<(Known, i64)>, Problem> {
    let Some((salt, held)) = ticket.split_once('.').filter(|_| ticket.len() <= 2048) else { return Ok(None) };
    let Some(said) = opened::<Ticket>(&ticket_key(app, salt)?, held) else { return Ok(None) };
    let (now, ends) = (app.guard.now().late, said.at.saturating_add(FRESH_US));
    if ends <= now {
        return Ok(None);
    }
    let hash = hex::encode(Sha256::digest(ticket.as_bytes()));
    let mut tx = app.workspace.state().begin().await?;
    if !tx.use_subject_token(&hash, ends, now).await? {
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some((Known { key: Some(said.key), ..Known::default() }, said.at)))
}

/// A key that seals one thing: every token and every salt is random and used once.
struct Once([u8; 32]);

fn derived(secret: &[u8], what: &str) -> Once {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), what.as_bytes());
    let mut key = [0; 32];
    key.copy_from_slice(tag.as_ref());
    Once(key)
}

fn token_key(token: &Secret, kind: &str) -> Once {
    derived(token.expose().as_bytes(), &format!("dunlin-customer/1 {kind}"))
}

fn ticket_key(app: &App, salt: &str) -> Result<Once, Problem> {
    let key = app.workspace.keys().key(Purpose::Subject)?;
    Ok(derived(&key[..], &format!("dunlin-customer/1 ticket {salt}")))
}

fn aead(key: &Once) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, &key.0).ok().map(LessSafeKey::new)
}

/// No nonce repeats under a key that seals once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn sealed<T: Serialize>(key: &Once, what: &T) -> Result<String, Problem> {
    let mut bytes = serde_json::to_vec(what).map_err(|_| Problem::internal())?;
    let key = aead(key).ok_or_else(Problem::internal)?;
    key.seal_in_place_append_tag(nonce(), Aad::empty(), &mut bytes).map_err(|_| Problem::internal())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn opened<T: DeserializeOwned>(key: &Once, sealed: &str) -> Option<T> {
    let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let plain = aead(key)?.open_in_place(nonce(), Aad::empty(), &mut bytes).ok()?;
    serde_json::from_slice(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_own_token_for_its_own_use_alone() {
        let token = Secret::new("a-token");
        let known = Known { key: Some("customer-canary".into()), ..Known::default() };
        let held = sealed(&token_key(&token, "link"), &known).unwrap();
        assert!(!held.contains("canary"));
        let open = |token: &str, kind| opened::<Known>(&token_key(&Secret::new(token), kind), &held);
        assert_eq!(open("a-token", "link").unwrap().key.as_deref(), Some("customer-canary"));
        assert!(open("a-token", "session").is_none(), "a link is no session");
        assert!(open("b-token", "link").is_none());
        assert!(opened::<Known>(&token_key(&token, "link"), "AAAA").is_none());
        assert!(opened::<Known>(&token_key(&token, "link"), "").is_none());
    }
}
