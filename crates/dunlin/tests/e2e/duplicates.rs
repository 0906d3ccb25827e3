//! `dunlin duplicates`: who is in a table twice, without a plan, and without a value on any screen.

use serde_json::Value;

use crate::support::Site;

/// 60 people with values of their own; the first `twice` of them again, with slips.
fn table(twice: usize) -> String {
    let syllables = ["ba", "der", "li", "mo", "ran", "su", "ti", "wen"];
    let word = |n: usize| [n % 8, n / 8 % 8, (n * 5 + 3) % 8].map(|s| syllables[s]).concat();
    let mut text = String::from("id,first_name,last_name,born,email,city\n");
    let mut line = |id: String, n: usize, slip: bool| {
        let (first, last) = (word(n + 11), word(n * 3 + 100));
        let shown = if slip { last.replacen(&last[..1], "q", 1) } else { last.clone() };
        let born = format!("{}-{:02}-{:02}", 1950 + n % 50, 1 + n % 12, 1 + n * 7 % 28);
        let city = if slip { "" } else { syllables[n % 8] };
        text.push_str(&format!("{id},{first},{shown},{born},{first}@{last}.example,{city}\n"));
    };
    (0..60).for_each(|n| line(format!("=key{n:02}"), n, false));
    (0..twice).for_each(|n| line(format!("again{n:02}"), n, true));
    text
}

fn clusters(out: &str) -> Vec<Vec<u64>> {
    let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let merged = lines.filter(|line| line["decision"] == "merge");
    let rows =
        |line: Value| line["rows"].as_array().unwrap().iter().map(|row| row.as_u64().unwrap()).collect();
    let mut clusters: Vec<Vec<u64>> = merged
        .map(rows)
        .map(|mut rows: Vec<u64>| {
            rows.sort_unstable();
            rows
        })
        .collect();
    clusters.sort();
    clusters
}

#[test]
fn rows_of_one_person_are_found_in_a_file_and_no_value_is_shown() {
    let site = Site::new();
    site.write("people.csv", table(20));
    let file = site.path("people.csv").display().to_string();
    let out = site.path("found.csv").display().to_string();
    let done = site.dunlin(&["duplicates", &file, "--key", "id", "--format", "json", "--out", &out]);
    assert_eq!(done.code, 0, "{}", done.err);
    // The n-th person stands on line n + 2, and again 60 lines below.
    let expected: Vec<Vec<u64>> = (0..20).map(|n| vec![n + 2, n + 62]).collect();
    assert_eq!(clusters(&done.out), expected);
    let text = site.dunlin(&["duplicates", &file, "--key", "id"]);
    assert!(text.out.contains("40 rows in 20 clusters"), "{}", text.out);
    let found = site.read("found.csv");
    assert!(found.starts_with("cluster,key,p,decision,source,row\n"), "{found}");
    for shown in [&done.out, &text.out, &found] {
        for value in ["key0", "again0", ".example", "1957-"] {
            assert!(!shown.contains(value), "{value} in {shown}");
        }
    }
    // A masked key still begins as its key does, and no spreadsheet runs it.
    assert!(found.contains(",'=") && !found.contains(",="), "{found}");
}

#[test]
fn a_pair_is_explained_column_by_column() {
    let site = Site::new();
    site.write("people.csv", table(20));
    let file = site.path("people.csv").display().to_string();
    let show = |one: &str, other: &str| {
        let done = site.dunlin(&["duplicates", "show", &file, "--key", "id", one, other, "--format", "json"]);
        assert_eq!(done.code, 0, "{}", done.err);
        serde_json::from_str::<Value>(done.out.trim()).unwrap()
    };
    let (same, other) = (show("=key03", "again03"), show("=key03", "again04"));
    assert!(same["probability"].as_f64().unwrap() > 0.9, "{same}");
    assert!(other["probability"].as_f64().unwrap() < 0.1, "{other}");
    let level = |column: &str| {
        let columns = same["columns"].as_array().unwrap().iter();
        columns.clone().find(|c| c["column"] == column).unwrap()["level"].clone()
    };
    assert_eq!([level("born"), level("last_name"), level("city")], ["same", "near", "missing"]);
    let missing = site.dunlin(&["duplicates", "show", &file, "--key", "id", "=key03", "nobody"]);
    assert_eq!(missing.code, 2);
    assert!(!missing.err.contains("nobody"), "{}", missing.err);
}

#[test]
fn two_files_are_linked_and_mistakes_are_named() {
    let site = Site::new();
    let all = table(20);
    let lines: Vec<&str> = all.lines().collect();
    site.write("one.csv", lines[..61].join("\n") + "\n");
    site.write("two.csv", format!("{}\n{}\n", lines[0], lines[61..].join("\n")));
    let (one, two) = (site.path("one.csv").display().to_string(), site.path("two.csv").display().to_string());
    let done = site.dunlin(&["duplicates", &one, "--key", "id", "--link", &two, "--format", "json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(clusters(&done.out), (0..20).map(|n| vec![n + 2, n + 2]).collect::<Vec<_>>());
    let wrong = site.dunlin(&["duplicates", &one, "--key", "number"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("has no column `number`"), "{}", wrong.err);
    let upside_down = site.dunlin(&["duplicates", &one, "--key", "id", "--above", "0.5", "--review", "0.9"]);
    assert_eq!(upside_down.code, 2, "{}", upside_down.err);
}
