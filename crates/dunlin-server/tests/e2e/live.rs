//! The event stream: what is told to whom, resuming, and its end with the session.

use std::time::{Duration, Instant};

use dunlin_guard::Reason;
use dunlin_ledger::Actor;
use dunlin_plan::Role;
use reqwest::{Method, Response};
use serde_json::json;

use crate::bench::{Bench, Person, json as read_json};

/// A stream that is being read.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(bench: &Bench, who: &Person, last: Option<&str>) -> Stream {
        let asked = bench.ask(who, Method::GET, "/api/v1/events").timeout(Duration::from_secs(60));
        let asked = match last {
            Some(last) => asked.header("last-event-id", last),
            None => asked,
        };
        let response = asked.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { response, text: String::new() }
    }

    /// Reads until the text has come, or the stream has ended; how long that took.
    async fn until(&mut self, wanted: &str, within: Duration) -> Option<Duration> {
        let begun = Instant::now();
        while !self.text.contains(wanted) {
            let left = within.checked_sub(begun.elapsed())?;
            match tokio::time::timeout(left, self.response.chunk()).await.ok()? {
                Ok(Some(chunk)) => self.text.push_str(std::str::from_utf8(&chunk).unwrap()),
                _ => return None,
            }
        }
        Some(begun.elapsed())
    }

    /// Whether it ends within this time.
    async fn ends(&mut self, within: Duration) -> bool {
        let all = async { while let Ok(Some(_)) = self.response.chunk().await {} };
        tokio::time::timeout(within, all).await.is_ok()
    }

    /// The id of the newest event.
    fn last(&self) -> String {
        self.text.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned()
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_within_a_second_of_its_session() {
    let bench = Bench::new().await;
    let _owner = bench.person(Role::Owner).await;
    for how in ["killed", "blocked", "signed out"] {
        let who = bench.person(Role::Engineer).await;
        let other = bench.sign_in(&who.id).await;
        let mut stream = Stream::open(&bench, &who, None).await;
        let mut others = Stream::open(&bench, &other, None).await;
        stream.until("event: hello", SECOND).await.unwrap();
        match how {
            "killed" => bench.guard.end_session(&Actor::System, &who.session, "test").await.unwrap(),
            "blocked" => {
                let reason = Reason { category: "test".into(), text: "test".into() };
                bench.guard.block(&Actor::System, &who.id, &reason).await.unwrap();
            }
            _ => assert_eq!(bench.post(&who, "/api/v1/sign-out", json!({})).await.status(), 204),
        }
        let took = stream.until("event: ended", SECOND).await;
        assert!(took.is_some(), "{how}: {}", stream.text);
        assert!(stream.ends(SECOND).await, "{how}");
        if how == "blocked" {
            assert!(others.until("event: ended", SECOND).await.is_some());
        } else {
            assert!(!others.ends(Duration::from_millis(700)).await, "{how}: another session goes on");
        }
        assert_eq!(bench.get(&who, "/api/v1/events").await.status(), 401, "{how}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_taken_back_ends_its_stream() {
    let bench = Bench::new().await;
    let ana = bench.person(Role::Auditor).await;
    let body = json!({ "label": "watcher", "scopes": ["events.read", "run.read"], "life_s": 3600 });
    let made = read_json(bench.post(&ana, "/api/v1/me/tokens", body).await).await;
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let asked = bench.bare(Method::GET, "/api/v1/events").header("authorization", &bearer);
    let response = asked.timeout(Duration::from_secs(30)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut stream = Stream { response, text: String::new() };
    stream.until("event: hello", SECOND).await.unwrap();
    let id = made["info"]["id"].as_str().unwrap();
    let taken = bench.ask(&ana, Method::DELETE, &format!("/api/v1/me/tokens/{id}")).send().await.unwrap();
    assert_eq!(taken.status(), 204);
    assert!(stream.until("event: ended", SECOND).await.is_some(), "{}", stream.text);
    // The token may do nothing beyond its scopes either.
    let beyond =
        bench.bare(Method::GET, "/api/v1/people").header("authorization", bearer).send().await.unwrap();
    assert_eq!(beyond.status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_hears_what_he_may_know_and_about_himself() {
    let bench = Bench::new().await;
    let owner = bench.person(Role::Owner).await;
    let (writer, guest) = (bench.person(Role::Writer).await, bench.person(Role::Guest).await);
    let mut heard = [
        Stream::open(&bench, &owner, None).await,
        Stream::open(&bench, &writer, None).await,
        Stream::open(&bench, &guest, None).await,
    ];
    for stream in &mut heard {
        stream.until("event: hello", SECOND).await.unwrap();
    }
    let path = format!("/api/v1/people/{}/require-mfa", guest.id);
    assert_eq!(bench.post(&owner, &path, json!({ "required": true })).await.status(), 204);
    assert!(heard[0].until("person.changed", SECOND).await.is_some(), "the owner may read people");
    assert!(heard[2].until("person.changed", SECOND).await.is_some(), "the guest hears of himself");
    assert!(heard[1].until("person.changed", SECOND).await.is_none(), "the writer may not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_comes_back_misses_nothing_and_runs_go_on_without_it() {
    let bench = Bench::new().await;
    let who = bench.person(Role::Engineer).await;
    let mut stream = Stream::open(&bench, &who, None).await;
    stream.until("event: hello", SECOND).await.unwrap();
    let plan = read_json(bench.get(&who, "/api/v1/plan").await).await;
    let body = json!({ "fingerprint": plan["fingerprint"], "rehearse": true });
    let run = read_json(bench.post(&who, "/api/v1/runs", body).await).await;
    let id = run["id"].as_str().unwrap().to_owned();
    stream.until("\"rows\":100", 3 * SECOND).await.unwrap();
    let last = stream.last();
    drop(stream);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let mut back = Stream::open(&bench, &who, Some(&last)).await;
    back.until("\"rows\":1000", 3 * SECOND).await.expect("the run went on");
    assert!(!back.text.contains("event: reset"), "{}", back.text);
    let number = |id: &str| id.rsplit('-').next().unwrap().parse::<u64>().unwrap();
    let told: Vec<u64> = back.text.lines().filter_map(|line| line.strip_prefix("id: ")).map(number).collect();
    let expected: Vec<u64> = (number(&last) + 1..).take(told.len()).collect();
    assert_eq!(told, expected, "nothing twice, nothing left out");
    let shown = read_json(bench.get(&who, &format!("/api/v1/runs/{id}")).await).await;
    assert_eq!(shown["progress"]["rows"], 1000);
    let mut strange = Stream::open(&bench, &who, Some("other-7")).await;
    assert!(strange.until("event: reset", SECOND).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_told_to_come_back_when_the_server_stops() {
    let mut bench = Bench::new().await;
    let who = bench.person(Role::Engineer).await;
    let mut stream = Stream::open(&bench, &who, None).await;
    stream.until("event: hello", SECOND).await.unwrap();
    bench.stop_soon();
    assert!(stream.until("event: drain", SECOND).await.is_some());
    let begun = Instant::now();
    drop(stream);
    bench.stop().await;
    assert!(begun.elapsed() < 8 * SECOND, "a stream must not hold the server up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_one_person_are_limited() {
    let bench = Bench::with("[limits]\nstreams_per_person = 2\n").await;
    let who = bench.person(Role::Guest).await;
    let (_one, two) = (Stream::open(&bench, &who, None).await, Stream::open(&bench, &who, None).await);
    assert_eq!(bench.get(&who, "/api/v1/events").await.status(), 429);
    drop(two);
    let begun = Instant::now();
    while bench.get(&who, "/api/v1/events").await.status() != 200 {
        assert!(begun.elapsed() < 5 * SECOND, "a seat is given back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_to_a_notice_is_told_to_those_who_may_read_it() {
    let bench = crate::notices::bench("").await;
    let (writer, guest) = (bench.person(Role::Writer).await, bench.person(Role::Guest).await);
    let mut told = Stream::open(&bench, &writer, None).await;
    let mut not_told = Stream::open(&bench, &guest, None).await;
    told.until("event: hello", SECOND).await.unwrap();
    not_told.until("event: hello", SECOND).await.unwrap();
    crate::notices::publish(&bench, crate::notices::NAME).await;
    told.until("\"change\":\"published\"", SECOND * 5).await.expect("the web app reads it again");
    assert!(told.text.contains("event: notice.changed") && told.text.contains("\"change\":\"submitted\""));
    assert!(not_told.until("notice.changed", SECOND).await.is_none());
}
