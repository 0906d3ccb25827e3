//! Letters over SMTP, one transaction each, over connections that are kept.
//!
//! A server answers for a letter with its reply to the final dot, and must forget one whose dot never came (RFC 5321,
//! 4.2.5 and 6.1). So a letter may be tried again whenever its dot had not been sent; afterwards only the answer counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dunlin_ledger::point;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;

use super::error::SendError;
use super::letter::Letter;
use super::transport::{Courier, Mark, Outcome, Transport};
use super::wire::{self, Tls};

/// How the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (port 465).
    Implicit,
    /// STARTTLS, refused when the server does not offer it (port 587).
    StartTls,
    /// None: only to this machine itself.
    None,
}

/// The mail server. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct SmtpSettings {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub tls: SmtpTls,
    /// User and password, where it wants them.
    pub login: Option<(String, String)>,
    /// The name by which we greet: the sender's domain.
    pub hello: String,
    /// Certificate authorities (PEM) that are believed beside the public web's.
    pub authorities: Option<String>,
}

/// How long a step may take (RFC 5321, 4.5.3.2, allows minutes; who needs them is tried again).
const STEP: Duration = Duration::from_secs(60);
/// How long the answer to the final dot may take: RFC 5321 asks for ten minutes, since to give up early means not to know.
const ANSWER: Duration = Duration::from_secs(600);
/// Letters over one connection; many servers close it after a hundred or so.
const PER_CONNECTION: u32 = 100;

/// A mail server to send to. Cheap to clone.
#[derive(Clone)]
pub struct SmtpServer {
    settings: Arc<SmtpSettings>,
    secured: How,
}

/// What is needed to secure a connection.
#[derive(Clone)]
enum How {
    Clear,
    FirstByte(Tls),
    StartTls(TlsParameters),
}

impl SmtpServer {
    /// Checks the settings; connects to nothing.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(settings: SmtpSettings) -> Result<SmtpServer, SendError> {
        let local = settings.host == "localhost"
            || settings.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let secured = match settings.tls {
            SmtpTls::None if local => How::Clear,
            SmtpTls::None => {
                return Err(SendError::Message {
                    message: "the mail server is on another machine, and the connection would be in clear"
                        .to_owned(),
                    help: "set `security = \"tls\"` or `\"starttls\"` in [smtp] of server.toml",
                });
            }
            SmtpTls::Implicit => {
                let tls = Tls::new(&settings.host, settings.authorities.as_deref());
                How::FirstByte(tls.ok_or_else(|| SendError::Message {
                    message:
                        "the mail server's name or the certificate authorities cannot be used".to_owned(),
                    help: "write `host` in [smtp] as a host name alone; `authorities` names a file of PEM",
                })?)
            }
            SmtpTls::StartTls => How::StartTls(parameters(&settings)?),
        };
        Ok(SmtpServer { settings: Arc::new(settings), secured })
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Fault> {
        let settings = &self.settings;
        let hello = ClientId::Domain(settings.hello.clone());
        let opened = timeout(STEP, async {
            let stream = wire::open(&settings.host, settings.port).await.map_err(|_| "no_connection")?;
            let stream: Box<dyn AsyncTokioStream> = match &self.secured {
                How::FirstByte(tls) => Box::new(tls.secure(stream).await.map_err(|_| "tls")?),
                _ => Box::new(stream),
            };
            Ok(stream)
        });
        let stream = opened.await.map_err(|_| Fault::Lost("timeout"))?.map_err(Fault::Lost)?;
        let mut connection = step(AsyncSmtpConnection::connect_with_transport(stream, &hello)).await?;
        if let How::StartTls(tls) = &self.secured {
            step(connection.starttls(tls.clone(), &hello)).await?;
        }
        if let Some((user, password)) = &settings.login {
            let credentials = Credentials::new(user.clone(), password.clone());
            step(connection.auth(DEFAULT_MECHANISMS, &credentials)).await.map_err(Fault::ours)?;
        }
        Ok(connection)
    }
}

fn parameters(settings: &SmtpSettings) -> Result<TlsParameters, SendError> {
    let bad = |message: &str, help| SendError::Message { message: message.to_owned(), help };
    let mut builder =
        TlsParameters::builder(settings.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(pem) = &settings.authorities {
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|_| {
            bad(
                "the certificate authorities cannot be read",
                "`authorities` of server.toml names a file of PEM",
            )
        })?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|_| {
        bad("the mail server's name cannot be used", "write `host` in [smtp] as a host name alone")
    })
}

/// What went wrong with a step.
enum Fault {
    /// The server said no.
    Said(u16),
    /// No answer, or none that makes sense.
    Lost(&'static str),
    /// The server does not let us.
    NotUs(String),
}

impl Fault {
    fn of(error: &lettre::transport::smtp::Error) -> Fault {
        // The server's own words may repeat the address or the subject: only its code is kept.
        match error.status().and_then(|code| code.to_string().parse().ok()) {
            Some(code) => Fault::Said(code),
            None if error.is_timeout() => Fault::Lost("timeout"),
            None if error.is_tls() => Fault::Lost("tls"),
            None if error.is_client() => Fault::NotUs("not_offered".to_owned()),
            None => Fault::Lost("no_connection"),
        }
    }

    /// A step that has nothing to do with the receiver: its refusal is about us.
    fn ours(self) -> Fault {
        match self {
            Fault::Said(code) if code >= 500 => Fault::NotUs(code.to_string()),
            other => other,
        }
    }

    /// As the end of a try that has not come to the dot.
    fn before_the_dot(self) -> Outcome {
        match self {
            // 421: the server is closing.
            Fault::Said(421) => Outcome::NoServer("421".to_owned()),
            Fault::Said(code) if code < 500 => Outcome::Later(code.to_string()),
            Fault::Said(code) => Outcome::Refused(code),
            Fault::Lost(word) => Outcome::NoServer(word.to_owned()),
            Fault::NotUs(code) => Outcome::NotUs(code),
        }
    }
}

async fn step<T>(act: impl Future<Output = Result<T, lettre::transport::smtp::Error>>) -> Result<T, Fault> {
    match timeout(STEP, act).await {
        Ok(done) => done.map_err(|error| Fault::of(&error)),
        Err(_) => Err(Fault::Lost("timeout")),
    }
}

/// Carries letters over one connection after the other.
struct SmtpCourier {
    server: SmtpServer,
    connection: Option<AsyncSmtpConnection>,
    carried: u32,
}

#[async_trait]
impl Transport for SmtpServer {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn courier(&self) -> Box<dyn Courier> {
        Box::new(SmtpCourier { server: self.clone(), connection: None, carried: 0 })
    }

    /// A mail server cannot be asked what it has.
    async fn has(&self, _: &str) -> Result<Option<bool>, SendError> {
        Ok(None)
    }
}

#[async_trait]
impl Courier for SmtpCourier {
    async fn carry(&mut self, letter: &Letter, mark: &Mark<'_>) -> Result<Outcome, SendError> {
        let was_open = self.connection.is_some();
        match self.addressed(letter).await {
            Ok(()) => {}
            // A server closes a connection that waited; that is no fault of this letter.
            Err(Fault::Lost(_) | Fault::Said(421)) if was_open => {
                self.connection = None;
                if let Err(fault) = self.addressed(letter).await {
                    return Ok(self.given_up(fault).await);
                }
            }
            Err(fault) => return Ok(self.given_up(fault).await),
        }
        let outcome = self.hand_over(letter, mark).await?;
        self.carried += 1;
        if self.carried >= PER_CONNECTION {
            self.close().await;
        }
        Ok(outcome)
    }

    async fn close(&mut self) {
        self.carried = 0;
        if let Some(mut connection) = self.connection.take() {
            // Whoever does not answer to a goodbye is left without one.
            let _ = timeout(Duration::from_secs(2), connection.quit()).await;
        }
    }
}

impl SmtpCourier {
    /// Everything before the letter itself.
    async fn addressed(&mut self, letter: &Letter) -> Result<(), Fault> {
        if self.connection.is_none() {
            self.connection = Some(self.server.connect().await?);
            self.carried = 0;
        }
        let Some(connection) = &mut self.connection else { return Err(Fault::Lost("no_connection")) };
        let mut how = Vec::new();
        let local: &str = letter.to.user();
        if !local.is_ascii() {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                // 5.6.7 of RFC 6531: this server cannot take it, and will not learn to.
                return Err(Fault::Said(553));
            }
            how.push(MailParameter::SmtpUtfEight);
        }
        if !letter.bytes.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
            how.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        step(connection.command(Mail::new(Some(letter.from.clone()), how))).await.map_err(Fault::ours)?;
        step(connection.command(Rcpt::new(letter.to.clone(), Vec::new()))).await?;
        step(connection.command(Data)).await?;
        Ok(())
    }

    /// The connection after a refusal: forgotten on both sides, so that the next letter can begin.
    async fn given_up(&mut self, fault: Fault) -> Outcome {
        let usable = matches!(fault, Fault::Said(code) if code != 421);
        if let Some(mut connection) = self.connection.take()
            && usable
            && step(connection.command(Rset)).await.is_ok()
        {
            self.connection = Some(connection);
        }
        fault.before_the_dot()
    }

    /// The letter, the dot, the answer.
    async fn hand_over(&mut self, letter: &Letter, mark: &Mark<'_>) -> Result<Outcome, SendError> {
        let Some(connection) = &mut self.connection else {
            return Ok(Outcome::NoServer("no_connection".to_owned()));
        };
        let handed = AtomicBool::new(false);
        let parts = Parts { body: Some(&letter.bytes), mark, handed: &handed };
        let answered = timeout(ANSWER, connection.message_iter(parts)).await;
        let fault = match answered {
            Ok(Ok(_)) => return Ok(Outcome::Taken),
            Ok(Err(error)) => Fault::of(&error),
            Err(_) => Fault::Lost("timeout"),
        };
        let handed = handed.load(Ordering::SeqCst);
        Ok(match fault {
            Fault::Said(421) | Fault::Lost(_) | Fault::NotUs(_) if !handed => {
                self.connection = None;
                Outcome::NoServer("no_connection".to_owned())
            }
            // An answer to the dot is an answer: the letter was not taken.
            Fault::Said(code) => {
                if code == 421 {
                    self.connection = None;
                }
                if code < 500 { Outcome::Later(code.to_string()) } else { Outcome::Refused(code) }
            }
            Fault::Lost(_) | Fault::NotUs(_) => {
                self.connection = None;
                Outcome::Uncertain
            }
        })
    }
}

/// The letter in parts. lettre writes the final dot as soon as there is no further part, so the note that it is about
/// to leave is made exactly then.
struct Parts<'a> {
    body: Option<&'a [u8]>,
    mark: &'a Mark<'a>,
    handed: &'a AtomicBool,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let part = self.body.take();
        if part.is_none() {
            // A crash test stops here; as an error it means nothing, since nothing can be stopped any more.
            let _ = point("tell::post.before_dot");
            self.mark.handing_over();
            self.handed.store(true, Ordering::SeqCst);
        }
        part
    }
}
