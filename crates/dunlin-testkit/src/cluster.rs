//! One PostgreSQL server in a folder of its own. PostgreSQL refuses to run as root, so root lends it to `postgres`.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that stops, and whose folder vanishes, when this is dropped.
pub struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    server: Option<Child>,
    port: u16,
}

impl Cluster {
    /// Starts a server on a free port, or says on stderr why it cannot.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!(
                "skipped: no PostgreSQL server programs found (pg_config --bindir, /usr/lib/postgresql/*/bin)"
            );
            return None;
        };
        let mut cluster = Self { folder: server_folder()?, programs, server: None, port: 0 };
        cluster.init();
        cluster.resume();
        Some(cluster)
    }

    /// A standby of this server, which streams what is written to it.
    pub fn standby(&self) -> Option<Self> {
        let mut standby =
            Self { folder: server_folder()?, programs: self.programs.clone(), server: None, port: 0 };
        let output = as_postgres(&self.programs.join("pg_basebackup"))
            .args(["-h", "127.0.0.1", "-U", "postgres", "-R", "--no-sync", "-c", "fast", "-p"])
            .arg(self.port.to_string())
            .arg("-D")
            .arg(standby.data())
            .output()
            .expect("run pg_basebackup");
        assert!(output.status.success(), "pg_basebackup failed: {}", String::from_utf8_lossy(&output.stderr));
        standby.resume();
        Some(standby)
    }

    /// As [`Cluster::start`], for a value that lives in a static and is never dropped: a watcher ends the server
    /// when this process is gone.
    pub(crate) fn start_shared() -> Option<Self> {
        let cluster = Self::start()?;
        let watch = format!(
            "while kill -0 {} 2>/dev/null; do sleep 0.3; done; kill -QUIT {}; sleep 0.5; rm -rf {}",
            std::process::id(),
            cluster.pid(),
            cluster.folder.path().display()
        );
        Command::new("setsid")
            .args(["--fork", "sh", "-c", &watch])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("start the watcher");
        Some(cluster)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn pid(&self) -> i32 {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).expect("the server's pid file");
        text.lines().next().and_then(|l| l.parse().ok()).expect("the server's pid")
    }

    fn init(&self) {
        let output = as_postgres(&self.programs.join("initdb"))
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync", "-D"])
            .arg(self.data())
            .output()
            .expect("run initdb");
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts the server, also again after [`Cluster::kill`]; on the port it had.
    pub fn resume(&mut self) {
        for _ in 0..5 {
            if self.port == 0 {
                self.port = free_port();
            }
            if self.try_start() {
                return;
            }
            // Another process took the port between finding and using it.
            self.port = 0;
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("the server does not start: {log}");
    }

    fn try_start(&mut self) -> bool {
        let log = fs::File::create(self.folder.path().join("log")).expect("a log file");
        let mut command = as_postgres(&self.programs.join("postgres"));
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        command.arg("-k").arg(self.folder.path());
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "autovacuum=off"] {
            command.args(["-c", setting]);
        }
        command.args(["-c", "max_connections=200", "-c", "shared_buffers=64MB"]);
        let mut server = command.stdout(Stdio::null()).stderr(log).spawn().expect("start the server");
        let patience = Instant::now() + Duration::from_secs(30);
        while Instant::now() < patience {
            let ready = Command::new(self.programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()
                .is_ok_and(|s| s.success());
            if ready {
                self.server = Some(server);
                return true;
            }
            if server.try_wait().is_ok_and(|s| s.is_some()) {
                let _ = server.wait();
                return false;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        let _ = server.kill();
        let _ = server.wait();
        false
    }

    /// Kills the server as a power cut would: no checkpoint, clients cut off.
    pub fn kill(&mut self) {
        let _ = Command::new("kill").args(["-QUIT", &self.pid().to_string()]).status();
        if let Some(mut server) = self.server.take() {
            let _ = server.wait();
        }
    }

    /// The URL of a database of this server, for its superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The folder of the server's data, for tests that change its settings.
    pub fn folder(&self) -> PathBuf {
        self.data()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.kill();
        }
    }
}

/// A new folder that the server may write to, or the reason on stderr why there is none.
fn server_folder() -> Option<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("dunlin-pg-").tempdir().expect("a temporary folder");
    if is_root() {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open the folder");
        let Some((uid, gid)) = postgres_ids() else {
            eprintln!("skipped: run as root, and there is no user `postgres` to run the server as");
            return None;
        };
        chown(folder.path(), Some(uid), Some(gid)).expect("hand over the folder");
    }
    Some(folder)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its number").port()
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n")
}

fn postgres_ids() -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|l| l.starts_with("postgres:"))?;
    let mut parts = line.split(':').skip(2);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A server program, as a user it agrees to run as.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
    command
}

/// The folder of the server's programs, the newest first.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    found.sort();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        found.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    found.into_iter().rev().find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
}
