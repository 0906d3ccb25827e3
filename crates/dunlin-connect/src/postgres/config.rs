//! From a `postgres://` URL to the settings of a connection. The password lives here and is never printed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};

use crate::{ConnectError, OpenOptions, Result};

/// How far the server's identity is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// TLS where it is used proves nothing about the server (`prefer`, `require`): as libpq does.
    Anyone,
    /// The certificate must come from a known authority (`verify-ca`).
    Authority,
    /// And must name the host (`verify-full`).
    Host,
}

/// The settings of a connection.
#[derive(Clone)]
pub(super) struct Config {
    /// The store's name in the plan.
    pub(super) store: String,
    /// The user, as messages may name it.
    pub(super) user: String,
    /// The database.
    pub(super) database: String,
    /// `host:port`, as messages may name it.
    pub(super) address: String,
    /// How far the server's certificate is checked.
    pub(super) trust: Trust,
    /// The authorities, in PEM; without it the public web's.
    pub(super) root_cert: Option<PathBuf>,
    /// What the driver needs, password included.
    pub(super) driver: tokio_postgres::Config,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("store", &self.store)
            .field("user", &self.user)
            .field("address", &self.address)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

fn bad_url(store: &str, message: impl Into<String>, help: &str) -> ConnectError {
    ConnectError::Url { store: store.to_owned(), message: message.into(), help: help.to_owned() }
}

impl Config {
    /// Reads a URL. `sslmode` and `sslrootcert` are ours; every other parameter is the driver's.
    ///
    /// # Errors
    /// [`ConnectError::Url`], which never quotes the URL.
    pub(super) fn parse(store: &str, url: &str, options: &OpenOptions) -> Result<Self> {
        const HELP: &str = "write it as `postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full`; \
                            signs such as @ : / % in a name or password are percent-encoded";
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut rest = Vec::new();
        let mut mode = "prefer".to_owned();
        let mut root_cert = None;
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            // A plus sign is itself in these URLs, not a blank as in a form.
            let plain = pair.replace('+', "%2B");
            let Some((key, value)) = url::form_urlencoded::parse(plain.as_bytes()).next() else { continue };
            match key.as_ref() {
                "sslmode" => mode = value.into_owned(),
                "sslrootcert" => root_cert = Some(options.base.join(value.as_ref())),
                _ => rest.push(pair),
            }
        }
        let plain = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        // The driver's message names the parameter but may quote parts of the URL: it is not passed on.
        let mut driver: tokio_postgres::Config =
            plain.parse().map_err(|_| bad_url(store, "this is not a PostgreSQL URL", HELP))?;
        let (ssl, mut trust) = match mode.as_str() {
            "disable" => (SslMode::Disable, Trust::Anyone),
            "allow" | "prefer" => (SslMode::Prefer, Trust::Anyone),
            "require" => (SslMode::Require, Trust::Anyone),
            "verify-ca" => (SslMode::Require, Trust::Authority),
            "verify-full" => (SslMode::Require, Trust::Host),
            _ => {
                return Err(bad_url(
                    store,
                    "`sslmode` has an unknown value",
                    "use one of disable, prefer, require, verify-ca, verify-full",
                ));
            }
        };
        // As libpq: whoever names an authority wants it asked.
        if root_cert.is_some() && trust == Trust::Anyone && ssl == SslMode::Require {
            trust = Trust::Authority;
        }
        let Some(user) = driver.get_user().map(str::to_owned) else {
            return Err(bad_url(store, "the URL names no user", HELP));
        };
        let database = driver.get_dbname().unwrap_or(&user).to_owned();
        if driver.get_hosts().is_empty() && driver.get_hostaddrs().is_empty() {
            return Err(bad_url(store, "the URL names no host", HELP));
        }
        // A local socket carries no TLS; the operating system says who is at its other end.
        let local = driver.get_hosts().iter().all(|h| matches!(h, Host::Unix(_)));
        driver.ssl_mode(if local && !driver.get_hosts().is_empty() { SslMode::Disable } else { ssl });
        if driver.get_connect_timeout().is_none() {
            driver.connect_timeout(Duration::from_secs(15));
        }
        // The driver's own two hours are longer than most firewalls remember a silent connection.
        if driver.get_keepalives_idle() >= Duration::from_secs(7_200) {
            driver.keepalives_idle(Duration::from_secs(60));
        }
        if driver.get_application_name().is_none() {
            driver.application_name("dunlin");
        }
        let address = address(&driver);
        Ok(Self { store: store.to_owned(), user, database, address, trust, root_cert, driver })
    }
}

impl Config {
    /// How the server is reached: on this machine, or over which kind of TLS.
    pub(super) fn reach(&self) -> crate::Reach {
        let loopback = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        };
        let (hosts, addresses) = (self.driver.get_hosts(), self.driver.get_hostaddrs());
        let local = match addresses.is_empty() {
            true => hosts.iter().all(loopback),
            false => addresses.iter().all(std::net::IpAddr::is_loopback),
        };
        match (local, self.driver.get_ssl_mode(), &self.trust) {
            (true, ..) => crate::Reach::Local,
            (false, SslMode::Require, Trust::Host) => crate::Reach::Verified,
            (false, SslMode::Require, _) => crate::Reach::Unverified,
            _ => crate::Reach::Clear,
        }
    }
}

fn address(driver: &tokio_postgres::Config) -> String {
    let port = driver.get_ports().first().copied().unwrap_or(5432);
    match (driver.get_hosts().first(), driver.get_hostaddrs().first()) {
        (Some(Host::Tcp(host)), _) => format!("{host}:{port}"),
        (Some(Host::Unix(path)), _) => format!("{}:{port}", path.display()),
        (None, Some(addr)) => format!("{addr}:{port}"),
        (None, None) => format!("?:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Config> {
        Config::parse("atlas", url, &OpenOptions { base: "/plan".into(), ..Default::default() })
    }

    #[test]
    fn modes_never_weaken() {
        for (mode, ssl, trust) in [
            ("disable", SslMode::Disable, Trust::Anyone),
            ("prefer", SslMode::Prefer, Trust::Anyone),
            ("require", SslMode::Require, Trust::Anyone),
            ("verify-ca", SslMode::Require, Trust::Authority),
            ("verify-full", SslMode::Require, Trust::Host),
        ] {
            let config = parse(&format!("postgres://ana:pw@db.example/crm?sslmode={mode}")).unwrap();
            assert_eq!((config.driver.get_ssl_mode(), config.trust), (ssl, trust), "{mode}");
        }
        let config = parse("postgres://ana@db/crm?sslmode=require&sslrootcert=ca.pem").unwrap();
        assert_eq!(config.trust, Trust::Authority);
        assert_eq!(config.root_cert, Some("/plan/ca.pem".into()));
        assert_eq!(parse("postgres://ana@db/crm").unwrap().driver.get_ssl_mode(), SslMode::Prefer);
    }

    #[test]
    fn how_a_server_is_reached_is_told_from_its_url() {
        use crate::Reach;
        for (url, reach) in [
            ("postgres://ana@localhost/crm", Reach::Local),
            ("postgres://ana@127.0.0.1:6432/crm", Reach::Local),
            ("postgres:///crm?host=/run/postgresql&user=ana", Reach::Local),
            ("postgres://ana@db.example/crm", Reach::Clear),
            ("postgres://ana@db.example/crm?sslmode=require", Reach::Unverified),
            ("postgres://ana@db.example/crm?sslmode=verify-ca", Reach::Unverified),
            ("postgres://ana@db.example/crm?sslmode=verify-full", Reach::Verified),
            // Told to go elsewhere than its name says.
            ("postgres://ana@localhost/crm?hostaddr=10.0.0.9", Reach::Clear),
        ] {
            assert_eq!(parse(url).unwrap().reach(), reach, "{url}");
        }
    }

    #[test]
    fn nothing_prints_the_password() {
        let config = parse("postgres://ana:canary@db.example:6432/crm").unwrap();
        insta::assert_snapshot!(format!("{config:?}"), @r#"Config { store: "atlas", user: "ana", address: "db.example:6432", database: "crm", .. }"#);
        for url in ["postgres://ana:canary@db/crm?sslmode=canary", "postgres://ana:canary@db/crm?canary=1"] {
            let error = parse(url).unwrap_err();
            assert!(!format!("{error} {error:?} {:?}", error.help()).contains("canary"));
        }
    }
}
