//! The one HTTP client for everything that dunlin calls: webhooks, identity providers, link checks.
//!
//! It resolves a name itself, refuses the whole answer when one address of it is not public, and connects to
//! the addresses that it has checked and to no others, so that a name that changes its answer between check
//! and use gains nothing. No redirects, no proxy from the environment, five seconds, one megabyte.
//!
//! Not here: who may name an address to call (the policy), and what is kept of a delivery (`outbox`).

mod address;
mod error;
pub mod outbox;
mod resolve;
pub(crate) mod seal;
mod sign;
#[cfg(test)]
mod tests;
mod webhook;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use address::{AllowList, Allowed, refused_because};
pub use error::OutgoingError;
pub use resolve::{Resolver, SystemResolver};
pub use sign::{SIGNATURE_HEADER, SignatureError, check_signature, sign};
pub use webhook::Webhook;

use url::{Host, Url};

/// How long one call may take, from the look-up of the name to the last byte.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// What the client may do beyond public addresses over TLS.
#[derive(Debug, Clone, Default)]
pub struct OutgoingSettings {
    /// Hosts and networks that may be called though they are not public, also without TLS.
    pub allow: AllowList,
    /// Further certificate authorities (PEM), e.g. of the company's own provider.
    pub authorities: Option<String>,
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing {
    inner: Arc<Inner>,
}

struct Inner {
    allow: AllowList,
    tls: rustls::ClientConfig,
    resolver: Arc<dyn Resolver>,
}

/// One call.
#[derive(Clone)]
pub struct Call {
    /// `GET`, `POST` ...
    pub method: reqwest::Method,
    /// The address.
    pub url: Url,
    /// Headers; `host` and `content-length` are set by the client.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl Call {
    /// A `POST` of JSON.
    pub fn post_json(url: Url, body: Vec<u8>) -> Call {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Call { method: reqwest::Method::POST, url, headers, body }
    }
}

/// What came back. It has no `Debug`: a body is never shown.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers that are text.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`MAX_ANSWER`] bytes.
    pub body: Vec<u8>,
}

impl Outgoing {
    /// A client that asks the operating system for addresses.
    ///
    /// Fails when the further certificate authorities are not PEM certificates.
    pub fn new(settings: OutgoingSettings) -> Result<Outgoing, OutgoingError> {
        Outgoing::with_resolver(settings, Arc::new(SystemResolver))
    }

    /// A client with a resolver of one's own.
    pub fn with_resolver(
        settings: OutgoingSettings,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Outgoing, OutgoingError> {
        let tls = tls(settings.authorities.as_deref())?;
        Ok(Outgoing { inner: Arc::new(Inner { allow: settings.allow, tls, resolver }) })
    }

    /// Whether this address could be called, without calling it: form, scheme, host and where the name leads.
    pub async fn check(&self, url: &Url) -> Result<(), OutgoingError> {
        self.target(url).await.map(|_| ())
    }

    /// Makes the call and reads the answer, whatever its status.
    pub async fn call(&self, call: Call) -> Result<Answer, OutgoingError> {
        let done = tokio::time::timeout(TIMEOUT, self.call_unbounded(call)).await;
        done.map_err(|_| OutgoingError::Timeout)?
    }

    async fn call_unbounded(&self, call: Call) -> Result<Answer, OutgoingError> {
        let (name, addresses) = self.target(&call.url).await?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.inner.tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(0)
            .timeout(TIMEOUT)
            .user_agent("dunlin");
        if let Some(name) = &name {
            builder = builder.resolve_to_addrs(name, &addresses);
        }
        let client = builder.build().map_err(|_| OutgoingError::Client)?;
        let mut request = client.request(call.method, call.url).body(call.body);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(OutgoingError::from_reqwest)?;
        read(answer).await
    }

    /// The name to pin, when there is one, and the checked addresses.
    async fn target(&self, url: &Url) -> Result<(Option<String>, Vec<SocketAddr>), OutgoingError> {
        let port = url.port_or_known_default().ok_or(OutgoingError::BadAddress)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutgoingError::Credentials);
        }
        let host = url.host().ok_or(OutgoingError::BadAddress)?;
        let (name, found): (Option<String>, Vec<IpAddr>) = match host {
            Host::Ipv4(ip) => (None, vec![ip.into()]),
            Host::Ipv6(ip) => (None, vec![ip.into()]),
            Host::Domain(name) => {
                let found = self.inner.resolver.resolve(name).await;
                (Some(name.to_owned()), found.map_err(|_| OutgoingError::NotFound)?)
            }
        };
        if found.is_empty() {
            return Err(OutgoingError::NotFound);
        }
        // One bad address condemns the answer: an honest name has no reason to mix them.
        for ip in &found {
            if let Some(reason) = self.inner.allow.refuses(name.as_deref(), *ip, port) {
                return Err(OutgoingError::Refused(reason));
            }
        }
        let plain_is_fine = || found.iter().all(|ip| self.inner.allow.names(name.as_deref(), *ip, port));
        match url.scheme() {
            "https" => {}
            "http" if plain_is_fine() => {}
            "http" => return Err(OutgoingError::Plain),
            _ => return Err(OutgoingError::BadAddress),
        }
        let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        Ok((name, addresses))
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Answer, OutgoingError> {
    let status = answer.status().as_u16();
    let text = |(n, v): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned()))
    };
    let headers = answer.headers().iter().filter_map(text).collect();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(OutgoingError::from_reqwest)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(OutgoingError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

fn tls(authorities: Option<&str>) -> Result<rustls::ClientConfig, OutgoingError> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = authorities {
        let mut added = 0;
        for certificate in rustls_pemfile::certs(&mut pem.as_bytes()) {
            let certificate = certificate.map_err(|_| OutgoingError::Authorities)?;
            roots.add(certificate).map_err(|_| OutgoingError::Authorities)?;
            added += 1;
        }
        if added == 0 {
            return Err(OutgoingError::Authorities);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| OutgoingError::Client)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
