//! `dunlin serve` as a process: the first owner, a run through the API, rows through the gate, and what is left when
//! the process dies under load.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Site, pg, postgres, wait};

const PLAN: &str = r#"
[plan]
name = "served"
[store.old]
url = "sqlite:old.db"
[store.new]
url = "sqlite:new.db"
[[table]]
from = "old.people"
to = "new.people"
key = ["id"]
[table.columns]
id = "id"
email = { from = "email", kind = "email" }
[[table.rule]]
name = "has an address"
check = "email like '%@%'"
otherwise = "quarantine"
"#;

/// Second factors and costly hashes are shown elsewhere.
pub const SERVER: &str = r#"
[guard]
mfa_roles = []
[guard.hashing]
memory_kib = 8
passes = 1
[guard.limits]
links_per_network = 1000000
[limits]
per_address = 100000
per_person = 100000
"#;

const PASSWORD: &str = "curlew dunlin sanderling knot";

fn site(rows: u32) -> Site {
    let site = Site::with_plan(PLAN);
    site.write("server.toml", SERVER);
    site.sql(
        "old.db",
        &format!(
            "create table people (id integer primary key, email text);
             with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
             insert into people select i, case when i % 10 = 0 then 'nowhere' || i else 'p' || i || '@example.com' end from n"
        ),
    );
    site
}

/// A server, killed when it goes out of scope.
pub struct Served {
    child: Child,
    pub url: String,
    set_up: Option<String>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn serve(site: &Site, environment: &[(&str, &str)]) -> Served {
    let mut command = site.command(&["serve", "--format", "json", "--listen", "127.0.0.1:0"]);
    command.envs(environment.iter().copied()).stdout(Stdio::piped());
    let log =
        std::fs::OpenOptions::new().create(true).append(true).open(site.folder().join("serve.log")).unwrap();
    command.stderr(log);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let log = || std::fs::read_to_string(site.folder().join("serve.log")).unwrap_or_default();
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it did not begin: {}", log()));
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    Served { child, url: text("url").unwrap(), set_up: text("set_up") }
}

/// A signed-in browser.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    url: String,
    cookie: String,
    csrf: String,
}

impl Browser {
    /// Makes the first account.
    pub async fn set_up(served: &Served) -> Browser {
        let form = [
            ("secret", served.set_up.as_deref().unwrap()),
            ("name", "Ana Ruiz"),
            ("email", "ana@example.com"),
            ("password", PASSWORD),
        ];
        Browser::enter(&served.url, "/set-up", &form).await
    }

    async fn sign_in(served: &Served) -> Browser {
        Browser::enter(&served.url, "/sign-in", &[("email", "ana@example.com"), ("password", PASSWORD)]).await
    }

    async fn enter(url: &str, page: &str, form: &[(&str, &str)]) -> Browser {
        // Whichever test comes first sets it for the process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let sent = http.post(format!("{url}{page}")).header("origin", url).form(form).send().await.unwrap();
        let status = sent.status();
        let cookie = sent.headers().get("set-cookie").map(|c| c.to_str().unwrap().to_owned());
        let cookie = cookie.unwrap_or_else(|| panic!("{page} answered {status} without a cookie"));
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let mut browser = Browser { http, url: url.to_owned(), cookie, csrf: String::new() };
        let me = browser.get("/api/v1/me").await;
        browser.csrf = me["csrf"].as_str().unwrap().to_owned();
        browser
    }

    pub async fn get(&self, path: &str) -> Value {
        let sent =
            self.http.get(format!("{}{path}", self.url)).header("cookie", &self.cookie).send().await.unwrap();
        let (status, body) = (sent.status(), sent.text().await.unwrap());
        assert!(status.is_success(), "GET {path}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub async fn try_post(&self, path: &str, body: &Value) -> Result<(u16, Value), reqwest::Error> {
        let request = self.http.post(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        let sent =
            request.header("origin", &self.url).header("x-csrf-token", &self.csrf).json(body).send().await?;
        let status = sent.status().as_u16();
        let text = sent.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_post(path, &body).await.unwrap();
        assert!((200..300).contains(&status), "POST {path}: {status} {answer}");
        answer
    }

    pub async fn until(&self, run: &str, status: &str) -> Value {
        let begun = Instant::now();
        loop {
            let one = self.get(&format!("/api/v1/runs/{run}")).await;
            if one["status"] == status && one["progress"].is_null() {
                return one;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the run did not become {status}: {one}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

pub fn plan_fingerprint(site: &Site) -> String {
    site.dunlin(&["plan", "fingerprint"]).expect(0).out.trim().to_owned()
}

#[test]
fn an_owner_runs_a_plan_through_the_api_and_opens_rows_through_the_gate() {
    let site = site(2_000);
    let mut served = serve(&site, &[]);
    wait(async {
        let ana = Browser::set_up(&served).await;
        let fingerprint = plan_fingerprint(&site);
        let stale = json!({ "fingerprint": "00" });
        assert_eq!(ana.try_post("/api/v1/runs", &stale).await.unwrap().0, 409);
        let run = ana.post("/api/v1/runs", json!({ "fingerprint": fingerprint })).await;
        let run = run["id"].as_str().unwrap().to_owned();
        let done = ana.until(&run, "done").await;
        assert_eq!(done["actor"]["type"], "person");

        let groups = ana.get("/api/v1/quarantine").await["items"].as_array().unwrap().clone();
        assert_eq!(groups.iter().map(|g| g["rows"].as_u64().unwrap()).sum::<u64>(), 200);
        let path = format!("/api/v1/quarantine/{}/rows", groups[0]["group"].as_str().unwrap());
        let masked = ana.post(&path, json!({ "limit": 3 })).await;
        assert_eq!(masked["rows"].as_array().unwrap().len(), 3);
        assert!(!masked.to_string().contains("nowhere"), "{masked}");

        let groups: Vec<_> = groups.iter().map(|g| g["group"].clone()).collect();
        let ask = json!({ "groups": groups, "decision": "discard" });
        let decided = ana.post("/api/v1/quarantine/decide", ask).await["rows"].as_u64().unwrap();
        assert_eq!(decided, 200);
    });
    assert_eq!(site.one("new.db", "select count(*) from people"), "1800");
    assert_eq!(stopped(&mut served), Some(0));
    let ledger = site.dunlin(&["ledger", "export"]).expect(0).out;
    for kind in [
        "server_started",
        "signed_in",
        "run_started",
        "access_opened",
        "quarantine_decided",
        "server_stopped",
    ] {
        assert!(ledger.contains(&format!("\"{kind}\"")), "the ledger says nothing of {kind}");
    }
    assert!(!ledger.contains("nowhere") && !ledger.contains("ana@example.com"));
    site.dunlin(&["ledger", "verify"]).expect(0);
    site.verify().expect(0);
}

#[test]
fn a_run_through_the_api_waits_for_its_notice_or_says_why_it_does_not() {
    let site = site(50);
    site.plan(&format!("{PLAN}\n[[notice]]\nfile = \"notices/move.en.md\"\npublish = 2026-12-01\n"));
    let mut served = serve(&site, &[]);
    wait(async {
        let ana = Browser::set_up(&served).await;
        let fingerprint = plan_fingerprint(&site);
        let (status, refused) =
            ana.try_post("/api/v1/runs", &json!({ "fingerprint": fingerprint })).await.unwrap();
        assert!(status >= 400 && refused["code"] == "notice_not_published", "{status} {refused}");
        assert!(refused["title"].as_str().unwrap().contains("notices/move.en.md"), "{refused}");
        let now = json!({ "category": "incident", "text": "canary-4711: the old system burns" });
        let asked = json!({ "fingerprint": fingerprint, "now": now });
        let run = ana.post("/api/v1/runs", asked).await["id"].as_str().unwrap().to_owned();
        ana.until(&run, "done").await;
    });
    assert_eq!(stopped(&mut served), Some(0));
    let ledger = site.dunlin(&["ledger", "export"]).expect(0).out;
    assert!(
        ledger.contains("\"notice_skipped\"") && !ledger.contains("canary"),
        "the reason is in the state"
    );
}

#[test]
fn a_run_of_the_server_says_what_stayed_behind_and_tells_its_lineage() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    // The view was filled when it could be; it cannot be filled again.
    pg(
        &from,
        "create table t (id integer primary key); insert into t values (1), (2); \
         create materialized view v as select 1 / (id - 3) as x from t; insert into t values (3)",
    );
    let site = Site::with_plan(&crate::moves::plan(&from, &to, &[("t", "id")]));
    site.write("server.toml", format!("lineage = \"events.jsonl\"\n{SERVER}"));
    let mut served = serve(&site, &[]);
    wait(async {
        let ana = Browser::set_up(&served).await;
        let asked = json!({ "fingerprint": plan_fingerprint(&site) });
        let run = ana.post("/api/v1/runs", asked).await["id"].as_str().unwrap().to_owned();
        let done = ana.until(&run, "done").await;
        let left = json!([{ "table": "public.v", "what": "rows of a materialised view" }]);
        assert_eq!(done["outcome"]["left_behind"], left, "{done}");
    });
    assert_eq!(stopped(&mut served), Some(0));
    let events = site.read("events.jsonl");
    let kinds: Vec<String> = events
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["eventType"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["START", "FAIL"], "{events}");
}

/// Asks the server to stop, as a supervisor does.
pub fn stopped(served: &mut Served) -> Option<i32> {
    std::process::Command::new("kill").arg(served.child.id().to_string()).status().unwrap();
    served.child.wait().unwrap().code()
}

#[test]
fn a_run_is_paused_and_gone_on_with_and_a_stopping_server_leaves_it_resumable() {
    let site = site(6_000);
    let small = [("DUNLIN_ROWS_PER_SPLIT", "50")];
    let mut served = serve(&site, &small);
    let (ana, run) = wait(async {
        let ana = Browser::set_up(&served).await;
        let asked = json!({ "fingerprint": plan_fingerprint(&site), "jobs": 1 });
        let run = ana.post("/api/v1/runs", asked.clone()).await["id"].as_str().unwrap().to_owned();
        assert_eq!(ana.try_post("/api/v1/runs", &asked).await.unwrap().0, 409);
        ana.post(&format!("/api/v1/runs/{run}/pause"), json!({})).await;
        ana.until(&run, "paused").await;
        (ana, run)
    });
    let there: u32 = site.one("new.db", "select count(*) from people").parse().unwrap();
    assert!(there < 5_400, "it was paused before its end");
    wait(ana.post(&format!("/api/v1/runs/{run}/resume"), json!({})));
    assert_eq!(stopped(&mut served), Some(0));
    let served = serve(&site, &small);
    assert_eq!(served.set_up, None);
    wait(async {
        let ana = Browser::sign_in(&served).await;
        let one = ana.get(&format!("/api/v1/runs/{run}")).await;
        if one["status"] != "done" {
            ana.post(&format!("/api/v1/runs/{run}/resume"), json!({})).await;
        }
        ana.until(&run, "done").await;
    });
    assert_eq!(site.one("new.db", "select count(*) from people"), "5400");
    drop(served);
    site.verify().expect(0);
}

#[test]
fn what_a_dying_server_acknowledged_is_in_the_ledger_and_nothing_else_is() {
    let site = site(10);
    let mut acknowledged = BTreeSet::new();
    wait(Browser::set_up(&serve(&site, &[])));
    // Places at which the process dies by itself, and at last twice at some moment.
    let dies = ["store::commit.before@90", "store::commit.after@90", "store::integrate.appended@2", "", ""];
    for (round, place) in (0u64..).zip(dies) {
        let fails: Vec<(&str, &str)> =
            if place.is_empty() { Vec::new() } else { vec![("DUNLIN_FAIL", place)] };
        let mut served = serve(&site, &fails);
        let got = wait(async {
            let ana = Browser::sign_in(&served).await;
            let mut tasks = tokio::task::JoinSet::new();
            for worker in 0..6 {
                let ana = ana.clone();
                tasks.spawn(async move { invite_until_it_dies(&ana, round, worker).await });
            }
            if place.is_empty() {
                // A different moment each time.
                tokio::time::sleep(Duration::from_millis(300 * (round - 2))).await;
                served.child.kill().unwrap();
            }
            tasks.join_all().await
        });
        acknowledged.extend(got.into_iter().flatten());
    }
    assert!(acknowledged.len() > 20, "only {} were acknowledged", acknowledged.len());
    let entered = entered(&site);
    let people: BTreeSet<String> = site
        .dunlin(&["user", "list", "--format", "json"])
        .expect(0)
        .json()
        .iter()
        .filter(|p| p["status"] == "invited")
        .map(|p| p["email"].as_str().unwrap().to_owned())
        .collect();
    let under_way = people.difference(&acknowledged).count();
    assert!(under_way <= 6 * dies.len(), "at most one a worker and round was under way, not {under_way}");
    assert_eq!(acknowledged.difference(&people).count(), 0, "what was acknowledged is there");
    assert_eq!(entered, people.len(), "each person has one entry, and each entry a person");
    site.dunlin(&["ledger", "verify"]).expect(0);
}

async fn invite_until_it_dies(ana: &Browser, round: u64, worker: u32) -> Vec<String> {
    let mut done = Vec::new();
    for n in 0.. {
        let email = format!("p{round}-{worker}-{n}@example.com");
        let asked = json!({ "email": email, "name": "Someone", "role": "guest" });
        match ana.try_post("/api/v1/invitations", &asked).await {
            Ok((201, _)) => done.push(email),
            Ok((status, answer)) => panic!("{status} {answer}"),
            Err(_) => break,
        }
    }
    done
}

/// Entries that say that somebody was invited.
fn entered(site: &Site) -> usize {
    let ledger = site.dunlin(&["ledger", "export"]).expect(0).out;
    ledger.lines().filter(|line| line.contains("\"invited\"")).count()
}
