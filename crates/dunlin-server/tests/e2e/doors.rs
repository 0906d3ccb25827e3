//! What stands before every handler: hosts, addresses, other sites, sizes, slowness, TLS, and the orderly end.

use std::time::{Duration, Instant};

use dunlin_guard::{Guard, GuardSettings};
use dunlin_plan::Role;
use dunlin_server::{Server, ServerConfig, ServerError};
use dunlin_store::{KeyOptions, Workspace};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bench::{Bench, json as read_json, send};
use crate::fake::Fake;

#[tokio::test]
async fn every_answer_carries_its_headers_and_no_page_runs_what_is_not_ours() {
    let bench = Bench::new().await;
    for (path, is_page) in
        [("/sign-in", true), ("/nothing-here", true), ("/api/v1/me", false), ("/assets/pages.css", false)]
    {
        let answer = bench.bare(Method::GET, path).send().await.unwrap();
        let header = |name: &str| {
            answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert!(header("x-request-id").len() >= 16, "{path}");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}");
        assert_eq!(policy.contains("form-action 'self'"), is_page, "{path}");
        assert!(header("strict-transport-security").is_empty(), "no TLS here");
    }
    let link = bench.bare(Method::GET, "/recover/a-token").send().await.unwrap();
    assert_eq!(link.headers()["referrer-policy"], "no-referrer", "an address with a token is told to nobody");
}

#[tokio::test]
async fn a_form_comes_from_this_server_by_the_browsers_own_word() {
    let bench = Bench::new().await;
    let post = |origin: &'static str, site: Option<&'static str>| {
        let request = bench.bare(Method::POST, "/sign-in").header("origin", origin);
        let request = site.map_or(request.try_clone().unwrap(), |site| {
            request.try_clone().unwrap().header("sec-fetch-site", site)
        });
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .body("email=a%40b.example&password=x")
            .send()
    };
    // A page that gives no referrer posts with the origin `null`, and so does a sandboxed frame of another site.
    assert_ne!(post("null", Some("same-origin")).await.unwrap().status(), 403);
    assert_eq!(post("null", Some("cross-site")).await.unwrap().status(), 403);
    assert_eq!(post("null", None).await.unwrap().status(), 403);
    assert_eq!(post("https://other.example", Some("same-origin")).await.unwrap().status(), 403);
}

#[tokio::test]
async fn under_tls_cookies_and_hsts_say_so() {
    let bench =
        Bench::with("behind_proxy = [\"127.0.0.0/8\"]\npublic_url = \"https://migrate.example\"").await;
    let ana = bench.person(Role::Owner).await;
    let cookie = ana.cookie.replace("dunlin=", "__Host-dunlin=");
    let out = bench
        .bare(Method::POST, "/api/v1/sign-out")
        .header("host", "migrate.example")
        .header("cookie", &cookie)
        .header("x-csrf-token", &ana.csrf)
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), 204);
    let set = out.headers()["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-dunlin=;"), "{set}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Domain"), "{set}");
    assert!(out.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn another_name_for_this_address_is_not_answered() {
    let bench = Bench::new().await;
    for (host, status) in [
        ("evil.example", 421),
        ("localhost", 303),
        ("127.0.0.1:1", 303),
        ("[::1]", 303),
        ("127.0.0.1.evil.example", 421),
    ] {
        let answer = bench.bare(Method::GET, "/").header("host", host).send().await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
    }
    let probe = bench.bare(Method::GET, "/healthz").header("host", "10.0.0.7").send().await.unwrap();
    assert_eq!(probe.status(), 200);
}

#[tokio::test]
async fn the_address_of_a_client_is_its_own_unless_a_proxy_says_otherwise() {
    let direct = Bench::with("[limits]\nper_address = 40\n").await;
    let mut refused = 0;
    for n in 0..30 {
        let asked =
            direct.bare(Method::GET, "/api/v1/me").header("x-forwarded-for", format!("203.0.113.{n}"));
        refused += u32::from(asked.send().await.unwrap().status() == 429);
    }
    assert!(refused >= 15, "a forged header must not make a new client: {refused}");
    let proxied =
        "behind_proxy = [\"127.0.0.0/8\"]\npublic_url = \"http://127.0.0.1\"\n[limits]\nper_address = 40\n";
    let proxied = Bench::with(proxied).await;
    for n in 0..30 {
        let asked =
            proxied.bare(Method::GET, "/api/v1/me").header("x-forwarded-for", format!("203.0.113.{n}"));
        assert_eq!(asked.send().await.unwrap().status(), 401);
    }
    let mut refused = 0;
    for n in 0..30 {
        let chain = format!("198.51.100.{n}, 203.0.113.77");
        let asked = proxied.bare(Method::GET, "/api/v1/me").header("x-forwarded-for", chain);
        refused += u32::from(asked.send().await.unwrap().status() == 429);
    }
    assert!(refused >= 15, "what stands left of the proxy's own word is not believed: {refused}");
}

#[tokio::test]
async fn a_session_of_an_audited_forgery_is_listed_with_the_true_address() {
    let bench = Bench::new().await;
    let ana = bench.person(Role::Owner).await;
    let asked = bench.ask(&ana, Method::GET, "/api/v1/me/sessions").header("x-forwarded-for", "203.0.113.9");
    let text = asked.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("127.0.0.1") && !text.contains("203.0.113.9"), "{text}");
}

#[tokio::test]
async fn another_site_cannot_act_with_a_persons_cookie() {
    let bench = Bench::new().await;
    let ana = bench.person(Role::Owner).await;
    let body = json!({ "name": "Changed" });
    let patch = |cookie: bool| {
        let request = bench.bare(Method::PATCH, "/api/v1/me");
        if cookie { request.header("cookie", &ana.cookie) } else { request }
    };
    assert_eq!(send(patch(true), &body).await.status(), 403, "no form token");
    assert_eq!(send(patch(true).header("x-csrf-token", "x"), &body).await.status(), 403, "a wrong one");
    let other = bench.sign_in(&ana.id).await;
    assert_eq!(
        send(patch(true).header("x-csrf-token", &other.csrf), &body).await.status(),
        403,
        "another session's"
    );
    let good = || patch(true).header("x-csrf-token", &ana.csrf);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(send(good().header(name, value), &body).await.status(), 403, "{name}: {value}");
    }
    let own = bench.url.clone();
    assert_eq!(
        send(good().header("origin", own).header("sec-fetch-site", "same-origin"), &body).await.status(),
        204
    );
    assert_eq!(send(good(), &body).await.status(), 204, "a program that is no browser");
    let foreign = bench.bare(Method::POST, "/api/v1/sign-in").header("origin", "https://evil.example");
    assert_eq!(
        send(foreign, &json!({ "email": "a@b.example", "password": "x" })).await.status(),
        403,
        "signing in"
    );
    let form = bench.bare(Method::POST, "/sign-in").header("origin", "https://evil.example");
    let form = form.header("content-type", "application/x-www-form-urlencoded").body("email=a&password=b");
    assert_eq!(form.send().await.unwrap().status(), 403, "the page");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_said_or_not() {
    let bench = Bench::with("[limits]\nbody_bytes = 2048\n").await;
    let ana = bench.person(Role::Owner).await;
    let big = format!("{{\"name\":\"{}\"}}", "x".repeat(4000));
    let told = bench
        .ask(&ana, Method::PATCH, "/api/v1/me")
        .header("content-type", "application/json")
        .body(big.clone());
    let told = told.send().await.unwrap();
    assert_eq!(told.status(), 413);
    assert_eq!(read_json(told).await["code"], "too_large");
    // Without a length, in pieces.
    let address = bench.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PATCH /api/v1/me HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\nx-csrf-token: {}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{:x}\r\n{big}\r\n0\r\n\r\n",
        ana.cookie,
        ana.csrf,
        big.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_slow_client_is_let_go() {
    let bench = Bench::with("[timeouts]\nheader = 1\nbody = 1\n").await;
    let address = bench.url.strip_prefix("http://").unwrap();
    for sent in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: localhost\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let begun = Instant::now();
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "still open after {:?}: {sent:?}", begun.elapsed());
    }
    let ana = bench.person(Role::Owner).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PATCH /api/v1/me HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\nx-csrf-token: {}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{{\"na",
        ana.cookie, ana.csrf
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_string(&mut answer)).await;
    assert!(read.is_ok(), "a body that does not come");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_the_others_served() {
    let bench = Bench::with("[limits]\nconnections_per_address = 2\n").await;
    let address = bench.url.strip_prefix("http://").unwrap();
    let _one = TcpStream::connect(address).await.unwrap();
    let _two = TcpStream::connect(address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut three = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(2), three.read_to_end(&mut answer)).await;
    assert!(matches!(closed, Ok(Ok(0) | Err(_))), "the third must be closed");
    drop(_one);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(bench.bare(Method::GET, "/healthz").send().await.unwrap().status(), 200);
}

async fn bind(config: &str, dir: &std::path::Path, keys: &std::path::Path) -> Result<Server, ServerError> {
    let workspace = std::sync::Arc::new(Workspace::open(dir, &KeyOptions::at(keys)).await.unwrap());
    let guard = Guard::open(&workspace, GuardSettings::for_tests()).await.unwrap();
    let engine = std::sync::Arc::new(Fake::new(workspace.state().clone(), String::new()));
    Server::bind(workspace, ServerConfig::parse(config, dir).unwrap(), guard, engine).await
}

#[tokio::test]
async fn off_loopback_it_refuses_to_listen_in_the_clear() {
    let home = tempfile::tempdir().unwrap();
    let (dir, keys) = (home.path().join("w"), home.path().join("k"));
    std::fs::create_dir(&dir).unwrap();
    let refused = bind("listen = \"0.0.0.0:0\"", &dir, &keys).await.err().unwrap();
    assert!(refused.to_string().contains("without TLS"), "{refused}");
    assert!(bind("listen = \"0.0.0.0:0\"\nclear_text = true", &dir, &keys).await.is_ok());
}

#[tokio::test]
async fn tls_is_served_by_both_protocols_and_a_renewed_certificate_is_taken_up() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("w");
    std::fs::create_dir(&dir).unwrap();
    let write = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(dir.join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        made.cert.der().to_vec()
    };
    let first = write();
    let bench = Bench::over(home, "[tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n").await;
    let port = bench.url.rsplit(':').next().unwrap().to_owned();
    for (two, version) in [(true, reqwest::Version::HTTP_2), (false, reqwest::Version::HTTP_11)] {
        let client = client_that_trusts(&first, two);
        let answer = client.get(format!("https://localhost:{port}/healthz")).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
        assert!(answer.headers().contains_key("strict-transport-security"));
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = write();
    let begun = Instant::now();
    loop {
        let client = client_that_trusts(&second, true);
        if client.get(format!("https://localhost:{port}/healthz")).send().await.is_ok() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(12), "the renewed certificate is not used");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // A broken renewal leaves the good one in use.
    std::fs::write(bench.dir().join("cert.pem"), "nonsense").unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let answer =
        client_that_trusts(&second, true).get(format!("https://localhost:{port}/healthz")).send().await;
    assert_eq!(answer.unwrap().status(), 200);
}

fn client_that_trusts(der: &[u8], two: bool) -> reqwest::Client {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from(der.to_vec())).unwrap();
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = if two { vec![b"h2".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    let builder = reqwest::Client::builder().tls_backend_preconfigured(tls);
    let builder = if two { builder } else { builder.http1_only() };
    builder.timeout(Duration::from_secs(5)).build().unwrap()
}

#[tokio::test]
async fn what_is_under_way_comes_to_its_end_when_the_server_stops() {
    let mut bench = Bench::new().await;
    let ana = bench.person(Role::Owner).await;
    let address = bench.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let body = "{\"name\":\"Renamed\"}";
    let head = format!(
        "PATCH /api/v1/me HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\nx-csrf-token: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
        ana.cookie,
        ana.csrf,
        body.len(),
        &body[..5]
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    bench.stop_soon();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(&address).await.is_err(), "nobody new is let in");
    stream.write_all(&body.as_bytes()[5..]).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(5), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    let name = bench.guard.person(&ana.id).await.unwrap().name;
    assert_eq!(name, "Renamed");
    bench.stop().await;
}

#[tokio::test]
async fn metrics_are_for_this_machine_or_a_token() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("w")).unwrap();
    std::fs::write(home.path().join("w/token"), "metrics-4711\n").unwrap();
    let config = "behind_proxy = [\"127.0.0.0/8\"]\npublic_url = \"http://127.0.0.1\"\nmetrics_token = \"secret:token\"";
    let bench = Bench::over(home, config).await;
    let near = bench.bare(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(near.status(), 200);
    let far = || bench.bare(Method::GET, "/metrics").header("x-forwarded-for", "203.0.113.5");
    assert_eq!(far().send().await.unwrap().status(), 401);
    assert_eq!(far().header("authorization", "Bearer wrong").send().await.unwrap().status(), 401);
    let good = far().header("authorization", "Bearer metrics-4711").send().await.unwrap();
    assert_eq!(good.status(), 200);
    let text = good.text().await.unwrap();
    assert!(text.contains("dunlin_http_requests_total") && text.ends_with("# EOF\n"), "{text}");
}
