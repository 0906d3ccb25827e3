//! A message of a notice on its way to thousands: into the outbox, to a mail server, killed in the middle, and looked at
//! afterwards for everybody who should have got it.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use dunlin_testkit::{MailSink, SinkBehaviour};
use serde_json::Value;

use super::support::{Done, Site};

const PLAN: &str = include_str!("../../src/demo/plan.toml");
const NOTICE: &str = include_str!("../../src/demo/notice.md");
const FILE: &str = "notices/2026-move.en.md";

/// The demo's plan and notice over an audience of so many, some of whom stand there twice or cannot be written to.
fn site(people: u32) -> Site {
    let site = Site::with_plan(PLAN);
    site.write(FILE, NOTICE);
    std::fs::create_dir(site.path("target")).unwrap();
    site.sql(
        "target/atlas.db",
        &format!(
            "create table people (person_id integer primary key, email text, locale text);
             with recursive n (i) as (select 1 union all select i + 1 from n where i < {people})
             insert into people select i, 'Person' || i || '@canary.example', case i % 3 when 0 then 'es' else 'en' end
             from n;"
        ),
    );
    site
}

fn with_mail_server(site: &Site, port: u16) {
    site.write(
        "server.toml",
        format!(
            "public_url = \"https://data.atlas.example\"\n\
             [smtp]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"Atlas <notices@atlas.example>\"\n"
        ),
    );
}

/// Publishes the notice where there is a place for it: what it takes to do so is tested elsewhere.
fn published(site: &Site) {
    site.dunlin(&["ledger", "verify"]).expect(0);
    let state = ".dunlin/state.db";
    let places = "select count(*) from sqlite_master where name = 'notice_versions'";
    if site.one(state, places) == "1" {
        let text = NOTICE.replace('\'', "''");
        site.sql(
            state,
            &format!(
                "insert into notice_versions (id, notice, locale, version, file, sha256, content, plan_fingerprint, \
                 facts_fingerprint, facts, authors, submitted_by, submitted_at, published_at) values \
                 ('v1', '2026-move', 'en', 1, '{FILE}', '', '{text}', '', '', '{{}}', '[]', 'a test', 0, 1)"
            ),
        );
    }
}

fn last(done: &Done) -> Value {
    done.json().pop().unwrap_or_else(|| panic!("no line: {done:?}"))
}

/// Everybody is in one state, and every row is somebody.
#[track_caller]
fn balanced(line: &Value) {
    let n = |name: &str| line[name].as_u64().unwrap_or_else(|| panic!("{name} of {line}"));
    let states = ["sent", "bounced", "complained", "failed", "suppressed", "uncertain", "due"];
    assert_eq!(n("recipients"), states.iter().map(|s| n(s)).sum::<u64>(), "{line}");
    assert_eq!(n("rows"), n("recipients") + n("duplicates") + n("invalid"), "{line}");
}

/// No address of the audience is anywhere in what dunlin keeps or says.
fn nowhere(site: &Site, said: &[&Done]) {
    let mut folders = vec![site.path(".dunlin"), site.folder().join("keys")];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            assert!(!text.contains("canary.example"), "an address stands in {}", path.display());
            looked += 1;
        }
    }
    assert!(looked > 3, "there was something to look at");
    for done in said {
        assert!(!done.out.to_lowercase().contains("canary.example"), "{done:?}");
        assert!(!done.err.to_lowercase().contains("canary.example"), "{done:?}");
    }
}

#[test]
fn a_message_goes_into_the_outbox_once_and_its_size_is_confirmed_before() {
    let site = site(30);
    site.sql(
        "target/atlas.db",
        "insert into people (email, locale) values ('PERSON1@Canary.example', 'en'), (null, 'en'), ('nobody', 'en');",
    );
    let seen = site.dunlin(&["--format", "json", "notice", "audience", FILE]).expect(0);
    let line = last(&seen);
    assert_eq!(
        [&line["rows"], &line["recipients"], &line["duplicates"], &line["invalid"]],
        [33, 30, 1, 2],
        "{line}"
    );
    assert_eq!(line["invalid_by_reason"]["missing"], 1, "{line}");

    // Whom nobody can write to is listed through the gate: masked, and by their keys for whoever says why.
    site.write(
        FILE,
        NOTICE.replace("select email, locale from", "select email, locale, person_id as key from"),
    );
    let list = ["--format", "json", "notice", "audience", FILE, "--unreachable"];
    let masked = site.dunlin(&list).expect(0);
    assert_eq!(masked.json().len(), 2, "{masked:?}");
    assert!(!masked.out.contains("nobody") && !masked.out.contains("\"33\""), "{masked:?}");
    let clear = [&list[..], &["--clear", "--purpose", "letters: whom to telephone"]].concat();
    let clear = site.dunlin(&clear).expect(0).json();
    let of = |why: &str| clear.iter().find(|row| row["why"] == why).unwrap_or_else(|| panic!("{clear:?}"));
    assert_eq!([&of("missing")["key"], &of("malformed")["key"]], ["32", "33"]);
    let entries = site.dunlin(&["ledger", "export"]).expect(0).out;
    assert!(entries.contains("access_opened") && !entries.contains("telephone"), "{entries}");

    let send = ["--format", "json", "notice", "send", FILE, "--message", "before", "--to-outbox", "out"];
    let unconfirmed = site.dunlin(&send).expect(2);
    assert!(unconfirmed.out.contains("nobody was written to"), "{unconfirmed:?}");
    let wrong = site.dunlin(&[&send[..], &["--recipients", "31"]].concat()).expect(2);
    assert!(!site.path("out").join("index.html").exists(), "{wrong:?}");

    let done = site.dunlin(&[&send[..], &["--recipients", "30"]].concat()).expect(0);
    let line = last(&done);
    assert_eq!([&line["sent"], &line["state"]], [&Value::from(30), &Value::from("done")], "{line}");
    balanced(&line);
    let files = |site: &Site| {
        let names = std::fs::read_dir(site.path("out")).unwrap().map(|e| e.unwrap().file_name());
        names
            .map(|n| n.to_string_lossy().into_owned())
            .filter(|n| n.ends_with(".eml"))
            .collect::<BTreeSet<_>>()
    };
    let written = files(&site);
    assert_eq!(written.len(), 30);
    let letter = site.read(&format!("out/{}", written.first().unwrap()));
    for part in
        ["To: Person", "Auto-Submitted: auto-generated", "From: Atlas", "Reply-To: privacy@atlas.example"]
    {
        let from = part.replace("From: Atlas", "From: privacy@atlas.example");
        assert!(letter.contains(&from), "{from}: {letter}");
    }
    assert!(!letter.contains("List-Unsubscribe"), "nothing silences a required notice");
    assert!(site.read("out/index.html").contains("30 letters"));

    // Again: nothing more to do, and nothing is done.
    let again = site.dunlin(&[&send[..], &["--resume"]].concat()).expect(0);
    assert_eq!(last(&again)["sent"], 30);
    assert_eq!(files(&site), written);
    let verified = site.dunlin(&["ledger", "verify"]).expect(0);
    nowhere(&site, &[&seen, &unconfirmed, &wrong, &done, &again, &verified]);
}

#[test]
fn a_notice_that_contradicts_the_plan_is_not_sent() {
    let site = site(3);
    site.plan(&PLAN.replace("region = \"IE\"", "region = \"US\""));
    let send = ["notice", "send", FILE, "--message", "before", "--to-outbox", "out", "--recipients", "3"];
    let done = site.dunlin(&send).expect(2);
    assert!(done.err.contains("tell-facts-differ") && done.err.contains("must not be sent"), "{done:?}");
    let done = site.dunlin(&["notice", "send", FILE, "--message", "never", "--to-outbox", "out"]).expect(2);
    assert!(done.err.contains("before:30, during:0, after:1"), "{done:?}");
}

/// Kills `dunlin notice send` again and again while letters leave; in the end everybody has exactly one.
fn killed(people: u32, kills: u32) {
    let site = site(people);
    // It thinks for a while, so that processes die while they wait for its answer.
    let sink = MailSink::start(SinkBehaviour {
        thinks: Duration::from_millis(1),
        keeps: false,
        ..SinkBehaviour::default()
    });
    with_mail_server(&site, sink.port());
    published(&site);
    let count = people.to_string();
    let first = ["--format", "json", "notice", "send", FILE, "--message", "before", "--rate", "10000000"];
    let mut died = 0;
    let mut said = String::new();
    for kill in 0..kills {
        let more: &[&str] = if kill == 0 { &["--recipients", &count] } else { &["--resume"] };
        let mut command = site.command(&[&first[..], more].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Somewhere within its share of letters, never at the same place of a batch.
        let wanted =
            u64::from(people) * u64::from(kill + 1) / u64::from(kills + 1) + u64::from(kill * 7 % 31);
        let patience = Instant::now() + Duration::from_secs(60);
        while sink.count() < wanted && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < patience, "nothing leaves: {} of {wanted}", sink.count());
            std::thread::sleep(Duration::from_micros(200));
        }
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        died += u32::from(output.status.signal() == Some(9));
        said += &String::from_utf8_lossy(&output.stderr);
    }
    assert!(died >= kills - 1, "{died} of {kills} were killed while they sent: {said}");
    let done = site.dunlin(&[&first[..], &["--resume"]].concat());
    let line = last(&done);
    balanced(&line);
    let (sent, uncertain) = (line["sent"].as_u64().unwrap(), line["uncertain"].as_u64().unwrap());
    assert_eq!(sent + uncertain, u64::from(people), "{line}");
    assert!(uncertain <= u64::from(died) * 4, "at most one a connection and kill: {line}");
    assert_eq!(done.code, i32::from(uncertain > 0), "{done:?}");

    let times = sink.times();
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "written to twice: {twice:?}");
    assert_eq!(times.len(), people as usize, "everybody has a letter");
    eprintln!(
        "{people} recipients, {died} kills: each exactly one; {uncertain} answers were lost on the way"
    );

    if uncertain > 0 {
        let settle =
            ["--format", "json", "notice", "deliveries", FILE, "--message", "before", "--settle", "sent"];
        let settled = site.dunlin(&settle).expect(0);
        assert_eq!(last(&settled)["sent"], people, "{settled:?}");
    }
    site.dunlin(&["ledger", "verify"]).expect(0);
    nowhere(&site, &[&done]);
}

#[test]
fn a_sender_that_dies_at_any_border_writes_to_nobody_twice_and_misses_nobody() {
    let site = site(150);
    let sink = MailSink::start(SinkBehaviour { keeps: false, ..SinkBehaviour::default() });
    with_mail_server(&site, sink.port());
    published(&site);
    let first = ["--format", "json", "notice", "send", FILE, "--message", "before", "--rate", "10000000"];
    let first = [&first[..], &["--connections", "1"]].concat();
    let resume = [&first[..], &["--resume"]].concat();
    // Nothing was sent when it died while the audience was read; it is read anew.
    let gathering = [&first[..], &["--recipients", "150"]].concat();
    let dies = |arguments: &[&str], at: &str| {
        let output = site.command(arguments).env("DUNLIN_FAIL", at).output().unwrap();
        assert_eq!(output.status.signal(), Some(6), "{at}: {}", String::from_utf8_lossy(&output.stderr));
    };
    dies(&gathering, "tell::gather.before_ready");
    assert_eq!(sink.count(), 0);
    dies(&gathering, "tell::post.claimed");
    for at in [
        "tell::post.before_dot@9",
        "tell::post.answered@17",
        "tell::post.before_commit@2",
        "tell::post.after_commit@2",
    ] {
        dies(&resume, at);
    }
    let line = last(&site.dunlin(&resume));
    balanced(&line);
    let n = |name: &str| line[name].as_u64().unwrap();
    assert_eq!((n("sent") + n("uncertain"), n("due")), (150, 0), "{line}");
    // Where the desk died, the courier may have stood between dot and answer; where the courier died, nobody did.
    assert!(n("uncertain") <= 3, "{line}");
    assert!(
        sink.times().len() == 150 && sink.times().values().all(|times| *times == 1),
        "{:?}",
        sink.times()
    );

    let outbox = ["--format", "json", "notice", "send", FILE, "--message", "during", "--to-outbox", "out"];
    dies(&[&outbox[..], &["--recipients", "150"]].concat(), "tell::outbox.before_rename@20");
    let resume = [&outbox[..], &["--resume"]].concat();
    dies(&resume, "tell::outbox.after_rename@30");
    assert_eq!(last(&site.dunlin(&resume).expect(0))["sent"], 150);
    let files = std::fs::read_dir(site.path("out")).unwrap();
    let letters =
        files.filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|e| e == "eml")).count();
    assert_eq!(letters, 150);
}

#[test]
fn killed_twenty_times_five_thousand_get_exactly_one_letter_each() {
    killed(5_000, 20);
}

#[test]
#[ignore = "a soak test: `make soak`"]
fn soak_killed_fifty_times_fifty_thousand_get_exactly_one_letter_each() {
    killed(50_000, 50);
}
