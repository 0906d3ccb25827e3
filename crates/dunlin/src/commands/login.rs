//! `dunlin login`: this machine asks a server for a token by the device flow (RFC 8628), a signed-in person agrees in
//! the browser, and `dunlin plan approve --server` acts in that person's name.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::OK;
use crate::cli::{Format, LoginArgs};
use crate::failure::Failure;
use crate::output;

/// What a device asks for: what commands that need a server do, and nothing more.
const SCOPES: &str = "plan.read plan.approve approvals.read self.read";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The tokens of this machine's user, by server.
#[derive(Default, Serialize, Deserialize)]
struct Tokens {
    servers: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Begun {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

#[derive(Deserialize)]
struct Polled {
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// Signs in, or out.
pub async fn login(args: LoginArgs, format: Format) -> Result<u8, Failure> {
    let server = server_url(&args.server)?;
    if args.out {
        forget(&server)?;
        output::line("signed out here; `me/tokens` on the server lists what is left");
        return Ok(OK);
    }
    let client = client()?;
    let host =
        std::env::var("HOSTNAME").ok().filter(|h| !h.is_empty()).unwrap_or_else(|| "a shell".to_owned());
    let name: String = format!("dunlin on {host}").chars().take(64).collect();
    let form = [("client", name.as_str()), ("scope", SCOPES)];
    let begun = client.post(at(&server, "api/v1/device")?).form(&form).send().await;
    let begun: Begun = answered(begun, &server).await?;
    if format == Format::Json {
        output::json(&serde_json::json!({
            "verification_uri": begun.verification_uri, "user_code": begun.user_code, "expires_in": begun.expires_in,
        }));
    } else {
        output::line(&format!("Open {} and enter the code", begun.verification_uri));
        output::line(&format!("  {}", begun.user_code));
        output::note(&format!("or open {}", begun.verification_uri_complete));
    }
    let token = poll(&client, &server, &begun).await?;
    keep(&server, &token)?;
    if format == Format::Json {
        output::json(&serde_json::json!({ "server": server.as_str(), "signed_in": true }));
    } else {
        output::line(&format!("signed in at {server}"));
    }
    Ok(OK)
}

async fn poll(client: &reqwest::Client, server: &Url, begun: &Begun) -> Result<String, Failure> {
    let mut interval = begun.interval.max(1);
    let until = tokio::time::Instant::now() + Duration::from_secs(begun.expires_in);
    while tokio::time::Instant::now() < until {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        let form = [("device_code", begun.device_code.as_str()), ("grant_type", GRANT_TYPE)];
        let answer = client.post(at(server, "api/v1/device/token")?).form(&form).send().await;
        let answer = answer.map_err(|e| unreachable(server, &e))?;
        let polled: Polled = answer.json().await.map_err(|e| unreachable(server, &e))?;
        match (polled.access_token, polled.error.as_deref()) {
            (Some(token), _) => return Ok(token),
            (None, Some("slow_down")) => interval += 5,
            (None, Some("authorization_pending")) => {}
            (None, Some("access_denied")) => {
                return Err(Failure::usage(
                    "the request was refused in the browser",
                    "nothing was changed here",
                ));
            }
            _ => break,
        }
    }
    Err(Failure::usage("nobody agreed in time", "run `dunlin login` again"))
}

/// Approves a fingerprint at a server, in the name of whoever signed in there from here.
pub async fn approve_at(server: &str, fingerprint: &str, format: Format) -> Result<u8, Failure> {
    let server = server_url(server)?;
    let token = token(&server)?;
    let body = serde_json::json!({ "fingerprint": fingerprint });
    let sent =
        client()?.post(at(&server, "api/v1/plan/approve")?).bearer_auth(token).json(&body).send().await;
    let answer = sent.map_err(|e| unreachable(&server, &e))?;
    if !answer.status().is_success() {
        return Err(refused(answer).await);
    }
    if format == Format::Json {
        output::json(&serde_json::json!({ "fingerprint": fingerprint, "server": server.as_str() }));
    } else {
        output::line(&format!("approved {fingerprint} at {server}"));
    }
    Ok(OK)
}

async fn answered<T: for<'a> Deserialize<'a>>(
    sent: Result<reqwest::Response, reqwest::Error>,
    server: &Url,
) -> Result<T, Failure> {
    let answer = sent.map_err(|e| unreachable(server, &e))?;
    if !answer.status().is_success() {
        return Err(refused(answer).await);
    }
    answer.json().await.map_err(|e| unreachable(server, &e))
}

/// The server's own words for a refusal (RFC 9457).
async fn refused(answer: reqwest::Response) -> Failure {
    #[derive(Deserialize)]
    struct Problem {
        title: String,
        #[serde(default)]
        help: Option<String>,
    }
    let status = answer.status();
    match answer.json::<Problem>().await {
        Ok(problem) => Failure::Refused { message: problem.title, help: problem.help, code: 2 },
        Err(_) => Failure::Refused {
            message: format!("the server answered {status}"),
            help: Some("is it a dunlin server?".to_owned()),
            code: 3,
        },
    }
}

fn unreachable(server: &Url, error: &reqwest::Error) -> Failure {
    let what = if error.is_timeout() {
        "did not answer in time"
    } else {
        "could not be reached, or did not answer as dunlin does"
    };
    Failure::Refused {
        message: format!("{server} {what}"),
        help: Some("check the address, and that `dunlin serve` runs there".to_owned()),
        code: 3,
    }
}

/// A server's address, in the clear only on this machine: a token must not travel where others read it.
fn server_url(text: &str) -> Result<Url, Failure> {
    let mut url = Url::parse(text).map_err(|_| {
        Failure::usage(format!("`{text}` is no address"), "for example https://dunlin.example")
    })?;
    let local = url.host_str().is_some_and(|h| matches!(h, "localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && local) {
        return Err(Failure::usage(
            "a token does not travel in the clear",
            "use the https:// address; http:// is for this machine alone",
        ));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn at(server: &Url, path: &str) -> Result<Url, Failure> {
    server
        .join(path)
        .map_err(|_| Failure::usage("that is no server's address", "for example https://dunlin.example"))
}

fn client() -> Result<reqwest::Client, Failure> {
    let failed = || Failure::Refused { message: "TLS could not be set up".to_owned(), help: None, code: 3 };
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| failed())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .use_preconfigured_tls(tls)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(15))
        .build()
        .map_err(|_| failed())
}

fn tokens_file() -> Result<PathBuf, Failure> {
    let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".config")));
    let home =
        home.ok_or_else(|| Failure::usage("there is no home folder", "set HOME or XDG_CONFIG_HOME"))?;
    Ok(home.join("dunlin").join("servers.json"))
}

fn read() -> Result<Tokens, Failure> {
    let file = tokens_file()?;
    match std::fs::read(&file) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Tokens::default()),
        Err(e) => Err(Failure::file(&file, &e)),
    }
}

fn token(server: &Url) -> Result<String, Failure> {
    read()?.servers.remove(server.as_str()).ok_or_else(|| {
        Failure::usage(format!("this machine is not signed in at {server}"), format!("dunlin login {server}"))
    })
}

fn keep(server: &Url, token: &str) -> Result<(), Failure> {
    let mut tokens = read()?;
    tokens.servers.insert(server.as_str().to_owned(), token.to_owned());
    write(&tokens)
}

fn forget(server: &Url) -> Result<(), Failure> {
    let mut tokens = read()?;
    tokens.servers.remove(server.as_str());
    write(&tokens)
}

/// Readable by this user alone from the moment that it exists.
fn write(tokens: &Tokens) -> Result<(), Failure> {
    use std::io::Write;
    let file = tokens_file()?;
    let failed = |e: std::io::Error| Failure::file(&file, &e);
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut temp = tempfile::Builder::new().prefix(".servers").tempfile_in(folder).map_err(failed)?;
    let bytes = serde_json::to_vec_pretty(tokens).unwrap_or_default();
    temp.write_all(&bytes).and_then(|()| temp.as_file().sync_all()).map_err(failed)?;
    temp.persist(&file).map_err(|e| failed(e.error))?;
    Ok(())
}
