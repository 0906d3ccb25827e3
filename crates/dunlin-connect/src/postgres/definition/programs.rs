//! `pg_dump` and `pg_restore`: which ones, and how they are called. What they say on stderr may quote defaults, names
//! and rows, so it is shown to nobody; of `pg_restore` it is read whether the connection broke, and then forgotten.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use tokio_postgres::config::Host;

use crate::postgres::config::{Config, Trust};
use crate::postgres::sql;
use crate::{ConnectError, Result, Section, TableName};

/// The one folder in which to look, where this variable names one.
const FOLDER: &str = "DUNLIN_PG_BIN";

/// Where the authorities of the public web are kept, for servers that are to be checked against those.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// How a call of `pg_restore` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restored {
    /// It came to its end; something may have been refused.
    Through,
    /// The server was lost on the way.
    Lost,
}

/// A folder with both programs.
pub(super) struct Program {
    folder: PathBuf,
}

/// A folder that has both programs. Its version is asked of it when it is wanted, and once: a wrapper on the PATH takes its
/// time.
struct Installed {
    folder: PathBuf,
    major: LazyLock<Option<u32>, Box<dyn FnOnce() -> Option<u32> + Send>>,
}

/// The folders that have both programs.
static FOUND: LazyLock<Vec<Installed>> = LazyLock::new(|| {
    let installed = |folder: PathBuf| {
        let asked = folder.clone();
        Installed { folder, major: LazyLock::new(Box::new(move || major(&asked))) }
    };
    folders().into_iter().map(installed).collect()
});

/// Programs that serve a server of this version (`server_version_num`).
///
/// # Errors
/// [`ConnectError::Unsupported`], with what stays behind without them.
pub(super) fn find(store: &str, version: u32) -> Result<Program> {
    let wanted = version / 10_000;
    let mut newest = None;
    for installed in FOUND.iter() {
        let Some(major) = *installed.major else { continue };
        if major >= wanted {
            return Ok(Program { folder: installed.folder.clone() });
        }
        newest = newest.max(Some(major));
    }
    let found = newest.map_or("there is none".to_owned(), |n| format!("the newest here is {n}"));
    Err(ConnectError::Unsupported {
        store: store.to_owned(),
        what: format!("moving whole definitions without pg_dump {wanted} or newer ({found})"),
        help: format!(
            "install the PostgreSQL {wanted} client programs, or name their folder in {FOLDER}; without them columns, \
             keys, indexes, foreign keys and counters move, and these stay behind: domains, enums and other types of \
             your own, computed columns, defaults that call functions, checks, exclusion constraints, triggers, rules, \
             policies, comments, views, partitioning, inheritance, large objects"
        ),
    })
}

fn folders() -> Vec<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return vec![folder.into()];
    }
    let mut found = Vec::new();
    for parent in ["/usr/lib/postgresql", "/usr"] {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten().map(|e| e.path());
        let fits = |p: &PathBuf| parent != "/usr" || p.to_string_lossy().contains("/pgsql-");
        found.extend(entries.filter(fits).map(|p| p.join("bin")));
    }
    found.sort();
    found.reverse();
    found.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    found.retain(|folder| folder.join("pg_dump").is_file() && folder.join("pg_restore").is_file());
    found
}

/// The major version of the `pg_dump` in a folder.
fn major(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("pg_dump")).arg("--version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number = text.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

impl Program {
    /// Writes an archive of all definitions but those of `excluded` relations.
    pub(super) fn dump(&self, config: &Config, archive: &Path, excluded: &[TableName]) -> Result<()> {
        let mut command = self.command("pg_dump", config);
        command.args([
            "--format=custom",
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            "--no-tablespaces",
        ]);
        command.args(["--no-publications", "--no-subscriptions", "--no-security-labels", "--no-password"]);
        command.args(["--exclude-schema", "dunlin"]);
        for name in excluded {
            // In double quotes a pattern stands for itself.
            command.arg("--exclude-table").arg(sql::table(name));
        }
        command.arg("--file").arg(archive);
        if succeeded(&mut command) {
            return Ok(());
        }
        Err(ConnectError::Unsupported {
            store: config.store.clone(),
            what: "reading the definitions with pg_dump, which failed,".into(),
            help: format!(
                "see why: {} --schema-only --file=/dev/null, as `{}` on {}; it needs SELECT on the plan's tables",
                self.folder.join("pg_dump").display(),
                config.user,
                config.address
            ),
        })
    }

    /// Makes what an archive says. First all or nothing; where that fails, whatever can be made.
    pub(super) fn restore(
        &self,
        config: &Config,
        archive: &Path,
        section: Section,
        jobs: usize,
    ) -> Result<Restored> {
        if !archive.is_file() {
            return Err(ConnectError::Missing {
                store: config.store.clone(),
                what: "the archive of definitions of this run".into(),
                help: "take the run back and begin anew: dunlin undo".into(),
            });
        }
        let Some(list) = self.list(config, archive, section)? else { return Ok(Restored::Through) };
        let call = |more: &[&str]| {
            let mut command = self.command("pg_restore", config);
            command.args(["--no-owner", "--no-privileges", "--no-tablespaces", "--no-password"]);
            command.arg("--use-list").arg(&list);
            command.arg("--dbname").arg(&config.database).args(more).arg(archive);
            outcome(&mut command)
        };
        let end = match section {
            Section::BeforeRows => match call(&["--section=pre-data", "--single-transaction"]) {
                Ended::Refused => call(&["--section=pre-data"]),
                end => end,
            },
            Section::Keys | Section::AfterRows => {
                call(&["--section=post-data", "--jobs", &jobs.max(1).to_string()])
            }
        };
        let _ = std::fs::remove_file(&list);
        Ok(if end == Ended::Lost { Restored::Lost } else { Restored::Through })
    }

    /// Writes which things of an archive are made in this section: not what belongs to a server or a whole database. None
    /// where that is nothing.
    fn list(&self, config: &Config, archive: &Path, section: Section) -> Result<Option<PathBuf>> {
        let failed = |what: &str| ConnectError::Unsupported {
            store: config.store.clone(),
            what: format!("{what} the list of an archive of definitions"),
            help: "see whether the workspace's folder can be written to, and whether pg_restore works".into(),
        };
        let mut command = self.command("pg_restore", config);
        command.arg("--list").arg(archive).stdin(Stdio::null()).stderr(Stdio::null());
        let output = command.output().ok().filter(|o| o.status.success()).ok_or_else(|| failed("reading"))?;
        let kept: Vec<&[u8]> =
            output.stdout.split(|b| *b == b'\n').filter(|line| is_of_tables(line, section)).collect();
        let later = section != Section::BeforeRows;
        if kept.iter().all(|line| !line.first().is_some_and(u8::is_ascii_digit) || later && is_early(line)) {
            return Ok(None);
        }
        let path = archive.with_extension("list");
        std::fs::write(&path, kept.join(&b'\n')).map_err(|_| failed("writing"))?;
        Ok(Some(path))
    }

    /// A program with what it needs to connect, by its environment: a password on the command line can be read by all.
    fn command(&self, name: &str, config: &Config) -> Command {
        let mut command = Command::new(self.folder.join(name));
        for (key, _) in std::env::vars_os().filter(|(k, _)| k.to_string_lossy().starts_with("PG")) {
            command.env_remove(key);
        }
        let driver = &config.driver;
        let hosts: Vec<String> = driver
            .get_hosts()
            .iter()
            .map(|h| match h {
                Host::Tcp(host) => host.clone(),
                Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        let join = |parts: Vec<String>| parts.join(",");
        command.env("PGHOST", join(hosts));
        let addresses: Vec<String> = driver.get_hostaddrs().iter().map(ToString::to_string).collect();
        if !addresses.is_empty() {
            command.env("PGHOSTADDR", join(addresses));
        }
        command.env("PGPORT", join(driver.get_ports().iter().map(ToString::to_string).collect()));
        command.env("PGUSER", &config.user).env("PGDATABASE", &config.database);
        if let Some(password) = driver.get_password() {
            command.env("PGPASSWORD", OsString::from_vec(password.to_vec()));
        }
        if let Some(options) = driver.get_options() {
            command.env("PGOPTIONS", options);
        }
        command.env("PGAPPNAME", "dunlin").env("PGCONNECT_TIMEOUT", "15").env("PGSSLMODE", mode(config));
        command.env("LC_ALL", "C");
        match &config.root_cert {
            Some(path) => {
                command.env("PGSSLROOTCERT", path);
            }
            None if config.trust != Trust::Anyone => {
                if let Some(path) = AUTHORITIES.iter().find(|p| Path::new(p).is_file()) {
                    command.env("PGSSLROOTCERT", path);
                }
            }
            None => {}
        }
        command
    }
}

/// Whether a line of an archive's list (`12; 1259 16385 TABLE public t owner`) may be made in another database, and now.
/// Foreign servers and their users hold passwords, and an event trigger acts on whatever anybody does there later.
fn is_of_tables(line: &[u8], section: Section) -> bool {
    const KEYS: [&str; 3] = ["CONSTRAINT", "INDEX", "INDEX ATTACH"];
    const OTHERS: [&str; 7] = [
        "EVENT TRIGGER",
        "FOREIGN DATA WRAPPER",
        "SERVER",
        "USER MAPPING",
        "PUBLICATION",
        "SUBSCRIPTION",
        "DATABASE",
    ];
    let line = String::from_utf8_lossy(line);
    // The number with its semicolon and the two of the catalog stand before the word; a comment's subject behind a dash.
    let Some(what) = line.splitn(4, ' ').nth(3) else { return true };
    let is = |word: &&str| what.strip_prefix(*word).is_some_and(|rest| rest.starts_with(' '));
    match section {
        Section::Keys if !KEYS.iter().any(is) => return false,
        Section::AfterRows if KEYS.iter().any(is) => return false,
        _ => {}
    }
    let what = what.strip_prefix("COMMENT - ").unwrap_or(what);
    !OTHERS.iter().any(|other| what.starts_with(&format!("{other} ")))
}

/// Whether a line names something that `pg_restore` makes before the rows, so that a section behind them may have nothing to
/// do. No for what is not known here, and for functions: one whose body rests on a primary key comes after that.
fn is_early(line: &[u8]) -> bool {
    const EARLY: [&str; 10] = [
        "TABLE",
        "SEQUENCE",
        "DEFAULT",
        "ENCODING",
        "STDSTRINGS",
        "SEARCHPATH",
        "SCHEMA",
        "EXTENSION",
        "TYPE",
        "DOMAIN",
    ];
    let line = String::from_utf8_lossy(line);
    let Some(what) = line.splitn(4, ' ').nth(3) else { return false };
    !what.starts_with("DEFAULT ACL ")
        && EARLY.iter().any(|early| what.strip_prefix(early).is_some_and(|rest| rest.starts_with(' ')))
}

/// How one call of `pg_restore` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Made,
    Refused,
    Lost,
}

/// Runs `pg_restore`, and tells a lost server from anything else it may have come across.
fn outcome(command: &mut Command) -> Ended {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    match command.output() {
        Ok(output) if output.status.success() => Ended::Made,
        Ok(output) if output.status.code().is_none() || says_lost(&output.stderr) => Ended::Lost,
        _ => Ended::Refused,
    }
}

/// Whether what `pg_restore` says, in the language of its makers, is that it lost the server. Statements and values are
/// quoted on lines of their own.
fn says_lost(stderr: &[u8]) -> bool {
    const LOST: [&str; 9] = [
        "server closed the connection unexpectedly",
        "no connection to the server",
        "SSL connection has been closed unexpectedly",
        "SSL SYSCALL error",
        "could not receive data from server",
        "could not send data to server",
        "connection to server at ",
        "connection to server on socket ",
        "a worker process died unexpectedly",
    ];
    let text = String::from_utf8_lossy(stderr);
    text.lines().any(|line| line.starts_with("pg_restore: ") && LOST.iter().any(|lost| line.contains(lost)))
}

fn mode(config: &Config) -> &'static str {
    use tokio_postgres::config::SslMode;
    match (&config.trust, config.driver.get_ssl_mode()) {
        (Trust::Host, _) => "verify-full",
        (Trust::Authority, _) => "verify-ca",
        (Trust::Anyone, SslMode::Disable) => "disable",
        (Trust::Anyone, SslMode::Prefer) => "prefer",
        (Trust::Anyone, _) => "require",
    }
}

fn succeeded(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|s| s.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OpenOptions;

    #[test]
    fn what_belongs_to_a_server_stays_there() {
        for line in [
            "3418; 3466 16700 EVENT TRIGGER - watch ana",
            "4; 1417 16690 SERVER - elsewhere ana",
            "5; 1418 16691 USER MAPPING - USER MAPPING ana SERVER elsewhere ana",
            "6; 0 0 COMMENT - EVENT TRIGGER watch ana",
        ] {
            assert!(!is_of_tables(line.as_bytes(), Section::BeforeRows), "{line}");
            assert!(!is_of_tables(line.as_bytes(), Section::AfterRows), "{line}");
        }
        for line in [
            "; Archive created",
            "",
            "215; 1259 16385 TABLE public SERVER ana",
            "7; 0 0 COMMENT public TABLE t ana",
        ] {
            assert!(is_of_tables(line.as_bytes(), Section::BeforeRows), "{line}");
        }
    }

    #[test]
    fn keys_come_apart_from_what_acts_when_a_row_leaves() {
        for line in [
            "1; 2606 1 CONSTRAINT public t t_pkey ana",
            "2; 1259 2 INDEX public t_i ana",
            "3; 0 0 INDEX ATTACH public p_pkey ana",
        ] {
            assert!(is_of_tables(line.as_bytes(), Section::Keys), "{line}");
            assert!(!is_of_tables(line.as_bytes(), Section::AfterRows), "{line}");
        }
        for line in [
            "4; 2606 4 FK CONSTRAINT public t to_p ana",
            "5; 2620 5 TRIGGER public t CONSTRAINT ana",
            "6; 0 0 COMMENT public INDEX t_i ana",
        ] {
            assert!(!is_of_tables(line.as_bytes(), Section::Keys), "{line}");
            assert!(is_of_tables(line.as_bytes(), Section::AfterRows), "{line}");
        }
    }

    #[test]
    fn only_what_surely_comes_before_the_rows_is_early() {
        for line in [
            "1; 1259 1 TABLE public t ana",
            "2; 0 0 SEQUENCE OWNED BY public s ana",
            "3; 0 0 ENCODING - ENCODING ",
        ] {
            assert!(is_early(line.as_bytes()), "{line}");
        }
        for line in [
            "4; 2606 4 FK CONSTRAINT public t to_p ana",
            "5; 826 5 DEFAULT ACL public DEFAULT PRIVILEGES ana",
            "6; 0 0 COMMENT public TABLE t ana",
            "7; 2620 7 TRIGGER public t x ana",
        ] {
            assert!(!is_early(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_lost_server_is_told_from_a_statement_that_was_refused_or_quotes_one() {
        assert!(says_lost(
            b"pg_restore: error: could not execute query: server closed the connection unexpectedly\n"
        ));
        assert!(!says_lost(
            b"pg_restore: error: could not execute query: ERROR:  relation \"t\" already exists\n\
              Command was: COMMENT ON TABLE t IS 'server closed the connection unexpectedly';\n"
        ));
    }

    #[test]
    fn the_password_goes_by_the_environment_and_weak_tls_never_replaces_strong() {
        let url = "postgres://ana:p%40ss@db.example:6432/crm?sslmode=verify-full";
        let config = Config::parse("crm", url, &OpenOptions::default()).unwrap();
        let command = Program { folder: "/bin".into() }.command("pg_dump", &config);
        assert!(command.get_args().all(|a| !a.to_string_lossy().contains("p@ss")));
        let of = |name: &str| {
            let found = command.get_envs().find(|(key, _)| *key == name);
            found.and_then(|(_, value)| value).map(|v| v.to_string_lossy().into_owned())
        };
        assert_eq!(of("PGPASSWORD").as_deref(), Some("p@ss"));
        assert_eq!(of("PGSSLMODE").as_deref(), Some("verify-full"));
        assert_eq!(of("PGHOST").as_deref(), Some("db.example"));
        assert_eq!(of("PGPORT").as_deref(), Some("6432"));
    }
}
