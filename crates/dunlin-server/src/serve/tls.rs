//! The server's certificate: read from files, and read again when they change, so that a renewed one is used
//! without a restart. A changed file that cannot be used is said in the log, and the old one goes on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("`{file}` of [tls] could not be read ({why}); check that it exists and who may read it")]
    Unreadable {
        /// The key in `server.toml`.
        file: &'static str,
        /// The kind of the failure.
        why: std::io::ErrorKind,
    },
    /// A file holds no PEM of the kind that is due.
    #[error(
        "`{0}` of [tls] holds none in PEM; give the full chain as `cert`, and an unencrypted key as `key`"
    )]
    NotPem(&'static str),
    /// Certificate and key are not a pair, or of a kind that is not understood.
    #[error("certificate and key of [tls] do not belong together, or are of an unknown kind")]
    NotAPair,
}

/// The certificate in use. Clones share it.
#[derive(Clone)]
pub(super) struct Certificates(Arc<Shared>);

struct Shared {
    files: TlsFiles,
    current: RwLock<(Arc<CertifiedKey>, Stamp)>,
}

/// When each file was last written.
type Stamp = [Option<SystemTime>; 2];

impl Certificates {
    /// Reads the files.
    pub(super) fn load(files: &TlsFiles) -> Result<Certificates, TlsError> {
        let stamp = stamp(files);
        let current = RwLock::new((Arc::new(read(files)?), stamp));
        Ok(Certificates(Arc::new(Shared { files: files.clone(), current })))
    }

    /// Accepts connections with the certificate of the moment: TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("ring supports both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Resolver(self.clone())));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// Reads the files again when they were written since.
    pub(super) fn reload(&self) -> Result<bool, TlsError> {
        let stamp = stamp(&self.0.files);
        if self.0.current.read().unwrap_or_else(PoisonError::into_inner).1 == stamp {
            return Ok(false);
        }
        let key = Arc::new(read(&self.0.files)?);
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = (key, stamp);
        Ok(true)
    }
}

struct Resolver(Certificates);

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver(..)")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.0.current.read().unwrap_or_else(PoisonError::into_inner).0.clone())
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    let written = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    [written(&files.cert), written(&files.key)]
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let open = |file: &'static str, path: &PathBuf| {
        std::fs::read(path).map_err(|e| TlsError::Unreadable { file, why: e.kind() })
    };
    let (cert, key) = (open("cert", &files.cert)?, open("key", &files.key)?);
    let certs: Result<Vec<CertificateDer<'static>>, _> =
        rustls_pemfile::certs(&mut cert.as_slice()).collect();
    let certs = certs.ok().filter(|c| !c.is_empty()).ok_or(TlsError::NotPem("cert"))?;
    let key: Option<PrivateKeyDer<'static>> = rustls_pemfile::private_key(&mut key.as_slice()).ok().flatten();
    let key = key.ok_or(TlsError::NotPem("key"))?;
    let signing = ring::sign::any_supported_type(&key).map_err(|_| TlsError::NotAPair)?;
    let certified = CertifiedKey::new(certs, signing);
    certified.keys_match().map_err(|_| TlsError::NotAPair)?;
    Ok(certified)
}
