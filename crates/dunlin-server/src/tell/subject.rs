//! Who is signed in at a host app: a token that the app's server signs (a JWT, EdDSA), for this server, for five minutes
//! at most, used once. It says who somebody is; what follows from it is decided elsewhere.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dunlin_store::StoreError;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::config::HostKey;

/// The longest life of a token, in seconds.
const LIFE_MAX: i64 = 300;
/// How far the clocks of two machines may be apart, in seconds.
const SKEW: i64 = 30;
/// The longest token that is looked at.
const TOKEN_MAX: usize = 4096;

/// A person whom a host app has named.
pub(crate) struct Subject {
    /// The id that the app uses. Customer data: into the stores alone, never into a log or an answer.
    pub(crate) id: String,
    /// The name that the state uses: a keyed hash.
    pub(crate) name: String,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a token is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubjectError {
    #[error("the token is not a JWT with `alg` EdDSA, and `sub`, `aud`, `iat`, `exp` and `jti`")]
    Malformed,
    #[error("no key of `[tell.host_keys]` in server.toml has the id that the token's `kid` names")]
    UnknownKey,
    #[error("the token's signature is not that of its key")]
    Signature,
    #[error("the token is not for this server: `aud` must be its public address, or `[tell] audience`")]
    Audience,
    #[error("the token lives longer than five minutes")]
    TooLong,
    #[error("the token is from the future; set the clock of the app's server")]
    NotYet,
    #[error("the token has ended; sign a new one for each page")]
    Ended,
    #[error("the token was used before; sign a new one for each page")]
    Used,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SubjectError {
    /// A stable word.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            SubjectError::Malformed => "malformed",
            SubjectError::UnknownKey => "unknown_key",
            SubjectError::Signature => "signature",
            SubjectError::Audience => "audience",
            SubjectError::TooLong => "too_long",
            SubjectError::NotYet => "not_yet",
            SubjectError::Ended => "ended",
            SubjectError::Used => "used",
            SubjectError::Store(_) => "state",
        }
    }
}

/// What a token says, once it is believed.
struct Said {
    subject: String,
    /// Stands for the token itself.
    hash: String,
    /// In seconds since 1970 UTC.
    ends: i64,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515, 4.1.11); none is.
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    iat: i64,
    exp: i64,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Believes a token once, and gives the person.
///
/// # Errors
/// It is not believed, was used before, or the state failed.
pub(crate) async fn accept(app: &App, token: &str) -> Result<Subject, SubjectError> {
    let audience = app.config.tell.audience.as_deref().unwrap_or_else(|| app.base_url());
    let late = app.guard.now().late;
    let said = read(token, &app.config.tell.host_keys, audience, late.div_euclid(1_000_000))?;
    let mut tx = app.workspace.state().begin().await?;
    // Kept beyond its end by what clocks may differ: a token must not be taken twice by being remembered too briefly.
    let ends = (said.ends + 2 * SKEW).saturating_mul(1_000_000);
    if !tx.use_subject_token(&said.hash, ends, late).await? {
        return Err(SubjectError::Used);
    }
    tx.commit().await?;
    let name = app.workspace.keys().subject_name(&said.subject)?;
    Ok(Subject { id: said.subject, name })
}

/// What a token says, if it may be believed at this second.
fn read(
    token: &str,
    keys: &BTreeMap<String, HostKey>,
    audience: &str,
    now: i64,
) -> Result<Said, SubjectError> {
    let malformed = || SubjectError::Malformed;
    if token.len() > TOKEN_MAX {
        return Err(malformed());
    }
    let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let (head, body) = signed.split_once('.').ok_or_else(malformed)?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| SubjectError::Malformed);
    let head: Head = serde_json::from_slice(&decoded(head)?).map_err(|_| malformed())?;
    if head.alg != "EdDSA" || head.crit.is_some() {
        return Err(malformed());
    }
    let key = match &head.kid {
        Some(id) => keys.get(id),
        // A host with one key need not name it.
        None => keys.values().next().filter(|_| keys.len() == 1),
    };
    let key = key.ok_or(SubjectError::UnknownKey)?;
    ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &key.0)
        .verify(signed.as_bytes(), &decoded(signature)?)
        .map_err(|_| SubjectError::Signature)?;
    let claims: Claims = serde_json::from_slice(&decoded(body)?).map_err(|_| malformed())?;
    let fits = |text: &str| (1..=300).contains(&text.len());
    if !fits(&claims.sub) || !fits(&claims.jti) {
        return Err(malformed());
    }
    let is_ours = match &claims.aud {
        Audience::One(one) => one == audience,
        Audience::Several(all) => all.iter().any(|one| one == audience),
    };
    if !is_ours {
        return Err(SubjectError::Audience);
    }
    if claims.exp.saturating_sub(claims.iat) > LIFE_MAX {
        return Err(SubjectError::TooLong);
    }
    if claims.iat > now.saturating_add(SKEW) {
        return Err(SubjectError::NotYet);
    }
    if claims.exp <= now.saturating_sub(SKEW) {
        return Err(SubjectError::Ended);
    }
    // The signature is no part of it: Ed25519 has more than one for a text in the eyes of some verifiers.
    let hash = hex::encode(Sha256::digest(signed.as_bytes()));
    Ok(Said { subject: claims.sub, hash, ends: claims.exp })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
    }

    fn keys() -> BTreeMap<String, HostKey> {
        let key = HostKey(pair().public_key().as_ref().try_into().unwrap());
        [("shop".to_owned(), key)].into()
    }

    fn signed(head: &Value, body: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(head), part(body));
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(pair().sign(text.as_bytes())))
    }

    fn body() -> Value {
        json!({ "sub": "c-1", "aud": "https://d.example", "iat": NOW, "exp": NOW + 300, "jti": "a" })
    }

    fn head() -> Value {
        json!({ "alg": "EdDSA", "kid": "shop" })
    }

    fn code(token: &str, now: i64) -> &'static str {
        read(token, &keys(), "https://d.example", now).map_or_else(|error| error.code(), |_| "ok")
    }

    fn with(name: &str, value: Value) -> String {
        let mut body = body();
        body[name] = value;
        signed(&head(), &body)
    }

    #[test]
    fn a_token_is_believed_for_five_minutes_by_its_key_and_here_alone() {
        let token = signed(&head(), &body());
        assert_eq!(code(&token, NOW), "ok");
        assert_eq!(code(&signed(&json!({ "alg": "EdDSA" }), &body()), NOW), "ok", "one key needs no name");
        assert_eq!(code(&with("aud", json!(["x", "https://d.example"])), NOW), "ok");
        assert_eq!(code(&token, NOW + 300 + SKEW), "ended");
        assert_eq!(code(&token, NOW - SKEW - 1), "not_yet");
        assert_eq!(code(&with("exp", json!(NOW + 301)), NOW), "too_long");
        assert_eq!(code(&with("aud", json!("https://other.example")), NOW), "audience");
        assert_eq!(code(&signed(&json!({ "alg": "EdDSA", "kid": "other" }), &body()), NOW), "unknown_key");
    }

    #[test]
    fn what_is_not_signed_so_is_not_believed() {
        for head in [
            json!({ "alg": "none", "kid": "shop" }),
            json!({ "alg": "HS256", "kid": "shop" }),
            json!({ "alg": "EdDSA", "kid": "shop", "crit": ["b64"] }),
        ] {
            assert_eq!(code(&signed(&head, &body()), NOW), "malformed", "{head}");
        }
        for name in ["sub", "jti"] {
            assert_eq!(code(&with(name, json!("")), NOW), "malformed", "{name}");
            assert_eq!(code(&with(name, Value::Null), NOW), "malformed", "{name}");
        }
        let token = signed(&head(), &body());
        let (text, signature) = token.rsplit_once('.').unwrap();
        let other = with("sub", json!("c-2"));
        let (other, _) = other.rsplit_once('.').unwrap();
        assert_eq!(code(&format!("{other}.{signature}"), NOW), "signature");
        assert_eq!(code(&format!("{text}."), NOW), "signature");
        for token in ["", "a", "a.b", "a.b.c", "...", &"x".repeat(5000)] {
            assert_eq!(code(token, NOW), "malformed", "{token}");
        }
    }

    #[test]
    fn a_person_is_not_printed() {
        let shown = format!("{:?}", Subject { id: "canary".into(), name: "4f".into() });
        assert!(!shown.contains("canary"), "{shown}");
    }
}
