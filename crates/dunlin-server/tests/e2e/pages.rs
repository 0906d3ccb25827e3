//! The pages without a script: first set-up, second factor, sign-in, sessions, devices.

use dunlin_plan::Role;
use reqwest::{Method, Response};
use serde_json::json;

use crate::bench::{Bench, json as read_json};

/// A browser without a script: it keeps cookies and reads form tokens out of pages.
struct Browser<'a> {
    bench: &'a Bench,
    cookie: String,
}

impl Browser<'_> {
    fn keep(&mut self, answer: &Response) {
        for set in answer.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            if pair.starts_with("dunlin=") {
                self.cookie = pair.to_owned();
            }
        }
    }

    async fn get(&mut self, path: &str) -> (u16, String, String) {
        let asked = self.bench.bare(Method::GET, path).header("cookie", &self.cookie);
        self.read(asked.send().await.unwrap()).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> (u16, String, String) {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let asked = self.bench.bare(Method::POST, path).header("cookie", &self.cookie);
        let asked = asked.header("origin", &self.bench.url).header("sec-fetch-site", "same-origin");
        let asked = asked.header("content-type", "application/x-www-form-urlencoded").body(body);
        self.read(asked.send().await.unwrap()).await
    }

    async fn read(&mut self, answer: Response) -> (u16, String, String) {
        self.keep(&answer);
        let place =
            answer.headers().get("location").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status().as_u16(), place, answer.text().await.unwrap())
    }
}

fn field(page: &str, name: &str) -> String {
    let at =
        page.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no `{name}` in {page}"));
    let rest = &page[at..];
    let from = rest.find("value=\"").unwrap() + 7;
    rest[from..].split('"').next().unwrap().to_owned()
}

fn code_secret(page: &str) -> String {
    let at = page.find("<code class=\"secret\">").unwrap() + 21;
    page[at..].split('<').next().unwrap().to_owned()
}

/// The code that an app would show for the secret on the page.
fn code(page: &str) -> String {
    let at = page.find("<code class=\"secret\">").unwrap() + 21;
    let secret: String =
        page[at..].split('<').next().unwrap().chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = totp_rs::Secret::try_from_base32(secret).unwrap();
    let app = totp_rs::Builder::new().with_secret(bytes).with_account_name("a").with_issuer(Some("dunlin"));
    let now = dunlin_store::now_us() as u64 / 1_000_000;
    app.build().unwrap().generate(now).to_string()
}

#[tokio::test]
async fn from_the_set_up_to_the_first_owner_at_home() {
    let bench = Bench::new().await;
    let secret = bench.guard.set_up_secret().await.unwrap().unwrap();
    let mut browser = Browser { bench: &bench, cookie: String::new() };
    assert_eq!(browser.get("/").await.1, "/sign-in");
    assert_eq!(browser.get("/sign-in").await.1, "/set-up");
    let form = [
        ("secret", "WRONG"),
        ("name", "Ana"),
        ("email", "ana@example.com"),
        ("password", "otter parade lamp 19"),
    ];
    let (status, _, page) = browser.post("/set-up", &form).await;
    assert_eq!(status, 404, "{page}");
    assert!(page.contains("role=\"alert\"") && page.contains("ana@example.com"), "{page}");
    let form = [
        ("secret", secret.expose()),
        ("name", "Ana"),
        ("email", "ana@example.com"),
        ("password", "otter parade lamp 19"),
    ];
    let (status, place, page) = browser.post("/set-up", &form).await;
    assert_eq!((status, place.as_str()), (303, "/enrol"), "{page}");
    let (status, place, _) = browser.get("/").await;
    assert_eq!((status, place.as_str()), (303, "/enrol"), "an owner needs a second factor first");
    let (_, _, page) = browser.get("/enrol").await;
    assert!(page.contains("<svg class=\"qr\""), "{page}");
    let secret = code_secret(&page);
    let (csrf, otpauth) =
        (field(&page, "csrf"), field(&page, "otpauth").replace("&#38;", "&").replace("&amp;", "&"));
    let typo = [("csrf", csrf.as_str()), ("code", "000000"), ("otpauth", &otpauth), ("secret", &secret)];
    let (status, _, page) = browser.post("/enrol", &typo).await;
    assert_eq!(status, 401, "{page}");
    assert_eq!(
        code_secret(&page),
        secret,
        "a typing error must not make the app that was just set up useless"
    );
    let right = code(&page);
    let confirm = [("csrf", csrf.as_str()), ("code", &right), ("otpauth", &otpauth), ("secret", &secret)];
    let before = browser.cookie.clone();
    let (status, place, page) = browser.post("/enrol", &confirm).await;
    assert_eq!((status, place.as_str()), (303, "/enrol/codes"), "{page}");
    assert_ne!(browser.cookie, before, "the session has a new token once it may do more");
    let (_, _, page) = browser.get("/enrol/codes").await;
    let csrf = field(&page, "csrf");
    let (status, _, page) = browser.post("/enrol/codes", &[("csrf", &csrf)]).await;
    assert_eq!(status, 200);
    assert_eq!(page.matches("<li>").count(), 10, "{page}");
    let (status, _, page) = browser.get("/account").await;
    assert_eq!(status, 200);
    assert!(page.contains("ana@example.com") && page.contains("this one"), "{page}");
    assert!(
        page.contains("Atlas &#60;Ltd&#62;") || page.contains("Atlas &lt;Ltd&gt;"),
        "the plan's words are escaped"
    );
    assert_eq!(browser.post("/sign-out", &[("csrf", "wrong")]).await.0, 403);
    let csrf = field(&page, "csrf");
    let (status, place, _) = browser.post("/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!((status, place.as_str()), (303, "/sign-in?said=signed-out"));
    assert_eq!(browser.get("/").await.1, "/sign-in");
    let (status, place, _) =
        browser.post("/sign-in", &[("email", "ana@example.com"), ("password", "otter parade lamp 19")]).await;
    assert_eq!((status, place.as_str()), (303, "/second-factor"));
    let bad = [("email", "ana@example.com"), ("password", "wrong"), ("next", "//evil.example")];
    let (status, _, page) = Browser { bench: &bench, cookie: String::new() }.post("/sign-in", &bad).await;
    assert_eq!(status, 401);
    assert!(!page.contains("evil.example") && !page.contains("value=\"wrong\""), "{page}");
}

#[tokio::test]
async fn the_app_is_for_whoever_is_signed_in_and_keeps_to_its_places() {
    let bench = Bench::new().await;
    bench.person(Role::Owner).await;
    let ana = bench.person(Role::Writer).await;
    let mut nobody = Browser { bench: &bench, cookie: String::new() };
    assert_eq!(nobody.get("/work?view=1").await.1, "/sign-in?next=%2Fwork%3Fview%3D1");
    let mut browser = Browser { bench: &bench, cookie: ana.cookie.clone() };
    for place in ["/", "/work", "/guard/people/x", "/alerts/x"] {
        let (status, _, page) = browser.get(place).await;
        assert_eq!(status, 200, "{place}");
        assert!(page.contains("<html lang=\"en\">"), "{place}: {page}");
    }
    for nothing in ["/nothing", "/app/nothing.js"] {
        assert_eq!(browser.get(nothing).await.0, 404, "{nothing}");
    }
}

#[tokio::test]
async fn a_session_is_ended_from_another_device() {
    let bench = Bench::new().await;
    let here = bench.person(Role::Writer).await;
    let there = bench.sign_in(&here.id).await;
    let mut browser = Browser { bench: &bench, cookie: here.cookie.clone() };
    let (_, _, page) = browser.get("/account").await;
    assert!(page.contains(&format!("/sessions/{}/end", there.session)));
    let path = format!("/sessions/{}/end", there.session);
    assert_eq!(browser.post(&path, &[("csrf", &here.csrf)]).await.1, "/account?said=ended");
    assert_eq!(bench.get(&there, "/api/v1/me").await.status(), 401);
    let mut other = Browser { bench: &bench, cookie: there.cookie.clone() };
    assert_eq!(other.get("/").await.1, "/sign-in?said=ended");
    let stranger = bench.person(Role::Owner).await;
    let path = format!("/sessions/{}/end", stranger.session);
    assert_eq!(browser.post(&path, &[("csrf", &here.csrf)]).await.0, 404, "not somebody else's");
    assert_eq!(bench.get(&stranger, "/api/v1/me").await.status(), 200);
}

#[tokio::test]
async fn a_device_comes_in_when_its_person_says_so() {
    let bench = Bench::new().await;
    let ana = bench.person(Role::Auditor).await;
    let form = "application/x-www-form-urlencoded";
    let asked = bench.bare(Method::POST, "/api/v1/device").header("content-type", form);
    let asked = asked.body("client=dunlin+on+a+laptop&scope=run.read+self.read");
    let begun = read_json(asked.send().await.unwrap()).await;
    let poll = || async {
        let body = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code={}",
            begun["device_code"].as_str().unwrap()
        );
        let asked = bench.bare(Method::POST, "/api/v1/device/token").header("content-type", form).body(body);
        read_json(asked.send().await.unwrap()).await
    };
    assert_eq!(poll().await["error"], "authorization_pending");
    let code = begun["user_code"].as_str().unwrap().to_owned();
    let mut nobody = Browser { bench: &bench, cookie: String::new() };
    let (_, place, _) = nobody.get(&format!("/device?code={code}")).await;
    assert!(place.starts_with("/sign-in?next=%2Fdevice"), "{place}");
    let mut browser = Browser { bench: &bench, cookie: ana.cookie.clone() };
    let (_, _, page) = browser.get(&format!("/device?code={code}")).await;
    assert!(page.contains("dunlin on a laptop") && page.contains("run.read"), "{page}");
    let decision = [("csrf", ana.csrf.as_str()), ("code", code.as_str()), ("decision", "approve")];
    let (status, _, page) = browser.post("/device/decide", &decision).await;
    assert_eq!(status, 200, "{page}");
    tokio::time::sleep(std::time::Duration::from_secs(begun["interval"].as_u64().unwrap())).await;
    let given = poll().await;
    let bearer = format!("Bearer {}", given["access_token"].as_str().unwrap_or_else(|| panic!("{given}")));
    let me = bench.bare(Method::GET, "/api/v1/me").header("authorization", &bearer).send().await.unwrap();
    assert_eq!(read_json(me).await["person"], ana.id.as_str());
    let beyond =
        bench.bare(Method::GET, "/api/v1/plan").header("authorization", &bearer).send().await.unwrap();
    assert_eq!(beyond.status(), 403, "beyond its scopes");
}

#[tokio::test]
async fn an_invitation_is_accepted_once() {
    let bench = Bench::new().await;
    let owner = bench.person(Role::Owner).await;
    let body = json!({ "email": "ben@partner.example", "name": "Ben", "role": "writer", "organisation": "Partner Ltd" });
    let made = read_json(bench.post(&owner, "/api/v1/invitations", body).await).await;
    let link = made["link"].as_str().unwrap();
    let path = &link[link.find("/invitation/").unwrap()..];
    let mut browser = Browser { bench: &bench, cookie: String::new() };
    let (status, _, page) = browser.get(path).await;
    assert_eq!(status, 200);
    assert!(page.contains("ben@partner.example") && page.contains("writer"), "{page}");
    assert_eq!(browser.post(path, &[("name", "Ben"), ("password", "password1234")]).await.0, 422, "too easy");
    let (status, place, _) =
        browser.post(path, &[("name", "Ben"), ("password", "otter parade lamp 19")]).await;
    assert_eq!((status, place.as_str()), (303, "/"));
    assert_eq!(browser.get("/").await.0, 200);
    let mut again = Browser { bench: &bench, cookie: String::new() };
    assert_eq!(again.get(path).await.0, 404, "spent");
}

#[tokio::test]
async fn pages_are_plain_without_script_or_inline_style() {
    let bench = Bench::new().await;
    // Without an owner everything leads to the set-up.
    bench.person(Role::Owner).await;
    let ana = bench.person(Role::Engineer).await;
    let mut browser = Browser { bench: &bench, cookie: ana.cookie.clone() };
    let mut nobody = Browser { bench: &bench, cookie: String::new() };
    let mut pages = Vec::new();
    for path in ["/account", "/enrol", "/enrol/codes", "/second-factor", "/device", "/nothing"] {
        pages.push((path, browser.get(path).await.2));
    }
    for path in ["/sign-in", "/recover", "/recover/x", "/unlock/x", "/invitation/x"] {
        pages.push((path, nobody.get(path).await.2));
    }
    for (path, page) in pages {
        for part in ["<html lang=\"en\">", "<h1>", "class=\"skip\"", "name=\"viewport\""] {
            assert!(page.contains(part), "{path} lacks {part}: {page}");
        }
        for part in [" style=", "<style", "onclick", "javascript:", "http://", "<script>"] {
            let text = page.replace(&bench.url, "").replace("http://localhost", "");
            assert!(!text.contains(part), "{path} has {part}");
        }
        // Every field has a label.
        for id in
            page.match_indices("<input id=\"").map(|(at, m)| page[at + m.len()..].split('"').next().unwrap())
        {
            assert!(page.contains(&format!("for=\"{id}\"")), "{path}: {id}");
        }
    }
}
