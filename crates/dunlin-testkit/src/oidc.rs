//! A real OpenID provider (`oidc-provider` from npm) for the tests of sign-ins: it signs in whoever `login_hint` names,
//! without asking. Its accounts stand in `oidc/provider.mjs`.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The provider, until dropped.
pub struct OidcProvider {
    _process: Child,
    /// Its address.
    pub issuer: String,
}

impl OidcProvider {
    /// Starts it for a client whose redirect address is this: `dunlin`, with the secret `test-secret`. `None`, with the
    /// reason printed, where npm cannot install it.
    pub async fn start(redirect: &str) -> Option<OidcProvider> {
        let folder = installed().await?;
        let script = sources().join("provider.mjs");
        let copy = folder.join(format!("provider-{}.mjs", std::process::id()));
        std::fs::copy(script, &copy).expect("the provider's script is copied");
        let mut process = Command::new("node")
            .arg(&copy)
            .arg(redirect)
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await;
        let issuer = line.expect("the provider starts within 30 s").expect("it writes text");
        // Its output is read to the end: a program that writes into a closed pipe dies of it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(OidcProvider { _process: process, issuer: issuer.expect("it says where it is") })
    }
}

fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oidc")
}

/// Installs the provider once, beside the test's own program.
async fn installed() -> Option<PathBuf> {
    let program = std::env::current_exe().expect("a test has a program");
    let target = program.ancestors().nth(3).expect("tests lie in target/profile/deps");
    let folder = target.join("tmp/dunlin-oidc-provider-9.13.3");
    if folder.join("ready").exists() {
        return Some(folder);
    }
    let own = folder.with_extension(format!("{}", std::process::id()));
    std::fs::create_dir_all(&own).expect("a folder for the provider");
    std::fs::copy(sources().join("package.json"), own.join("package.json")).expect("its package.json");
    let npm = Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
        .current_dir(&own)
        .stdin(Stdio::null())
        .output();
    match tokio::time::timeout(Duration::from_secs(120), npm).await {
        Ok(Ok(output)) if output.status.success() => {}
        other => {
            eprintln!("skipped: npm could not install oidc-provider: {other:?}");
            return None;
        }
    }
    std::fs::write(own.join("ready"), "").expect("the mark that it is whole");
    // Another test may have been faster: then its folder is as good.
    let _ = std::fs::rename(&own, &folder);
    Some(folder)
}
