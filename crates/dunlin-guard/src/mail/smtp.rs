//! The way to the mail server.
//!
//! The mail server is named by whoever runs dunlin, in `server.toml`; it may stand in the own network.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Letter};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::GuardError;
use crate::outgoing::outbox::NotCarried;
use crate::token::Secret;

/// How the connection to the mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (port 465).
    Implicit,
    /// STARTTLS, refused when the server does not offer it (port 587).
    StartTls,
    /// None: only to this machine itself.
    None,
}

/// Where mail goes.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// The mail server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub tls: SmtpTls,
    /// User and password, where it wants them.
    pub login: Option<(String, Secret)>,
    /// The sender, `dunlin@example.com` or `Atlas <dunlin@example.com>`.
    pub from: String,
    /// Certificate authorities (PEM) that are believed beside the public web's.
    pub authorities: Option<String>,
}

/// A mail server. Cheap to clone.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// How long a mail server may take.
const PATIENCE: Duration = Duration::from_secs(20);

impl Smtp {
    /// Checks the settings; connects to nothing.
    pub fn new(settings: &SmtpSettings) -> Result<Smtp, GuardError> {
        let from = settings.from.parse().map_err(|_| GuardError::Invalid {
            what: "the sender of mail",
            help: "write it as `dunlin@example.com` or `Atlas <dunlin@example.com>`",
        })?;
        let tls = match settings.tls {
            SmtpTls::Implicit => Tls::Wrapper(tls(settings)?),
            SmtpTls::StartTls => Tls::Required(tls(settings)?),
            SmtpTls::None if is_this_machine(&settings.host) => Tls::None,
            SmtpTls::None => {
                return Err(GuardError::Invalid {
                    what: "the mail server",
                    help: "a server on another machine needs `tls = \"starttls\"` or `\"implicit\"`",
                });
            }
        };
        // The name says no more than that TLS is chosen here: it is, in all three cases.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host).tls(tls);
        let mut builder = builder.port(settings.port).timeout(Some(PATIENCE));
        if let Some((user, password)) = &settings.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(Smtp { transport: builder.build(), from })
    }

    /// Hands one message over to the mail server.
    pub async fn send(&self, id: &str, to: &str, subject: &str, text: &str) -> Result<(), NotCarried> {
        let bad = |_| NotCarried { code: "bad_address", again: false };
        let to: Mailbox = to.parse().map_err(bad)?;
        let one_line: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let letter = Letter::builder()
            .from(self.from.clone())
            .to(to)
            .subject(one_line)
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())
            .map_err(|_| NotCarried { code: "bad_message", again: false })?;
        // The server's own words may repeat the address or the subject: only the kind of failure is kept.
        self.transport.send(letter).await.map(|_| ()).map_err(|error| {
            if error.is_permanent() {
                NotCarried { code: "refused_by_mail_server", again: false }
            } else if error.is_timeout() {
                NotCarried { code: "timeout", again: true }
            } else if error.is_transient() {
                NotCarried { code: "mail_server_busy", again: true }
            } else if error.is_tls() {
                NotCarried { code: "tls", again: true }
            } else {
                NotCarried { code: "no_connection", again: true }
            }
        })
    }
}

/// TLS with the public web's authorities and those of the settings.
fn tls(settings: &SmtpSettings) -> Result<TlsParameters, GuardError> {
    let bad = |_| GuardError::Invalid {
        what: "the mail server's certificate authorities",
        help: "`authorities` names a file of certificates in PEM",
    };
    let mut builder =
        TlsParameters::builder(settings.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(pem) = &settings.authorities {
        builder = builder.add_root_certificate(Certificate::from_pem(pem.as_bytes()).map_err(bad)?);
    }
    builder
        .build_rustls()
        .map_err(|_| GuardError::Invalid { what: "the mail server", help: "write its host name alone" })
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
