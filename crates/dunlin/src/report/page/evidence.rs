//! How somebody else checks all this, and what it does not prove.

use super::super::Report;
use super::super::parts::{cell, section, table};
use super::super::text::escape;

fn check(report: &Report) -> String {
    let steps = [
        (
            "Compare both sides again",
            "Reads source and target once more and names every key that differs.",
            "dunlin verify".to_owned(),
        ),
        (
            "Check that the ledger was not changed since this report",
            "Every entry is hashed into the checkpoint below, which is signed. Keep this file where the people who moved the data cannot change it.",
            "dunlin ledger verify --since report.json".to_owned(),
        ),
        (
            "See that the plan is the one that was run",
            "Its fingerprint must be the one of this report.",
            format!("dunlin run --rehearse --fingerprint {}", report.plan.fingerprint),
        ),
    ];
    let mut out = String::from("<ol class=\"do\">");
    for (title, why, command) in steps {
        out.push_str(&format!(
            "<li><b class=\"b\">{title}</b><br><span class=\"m\">{why}</span><pre>{}</pre></li>",
            escape(&command)
        ));
    }
    out.push_str("</ol>");
    section("check", "Check it yourself", "in the folder of the plan", &out)
}

fn limits(report: &Report) -> String {
    let mut limits = vec![
        "That the source was right. dunlin shows that what it read has arrived; a wrong address that looks like an address arrives as well.",
        "Anything about rows that were written to the source after it was read.",
        "That nobody who holds the folder, its keys and the stores' passwords went past it. The ledger shows any change against a checkpoint that is kept elsewhere, such as the one in this report.",
        "The hashes to somebody without the workspace's key: they are keyed, so that nobody can guess customers from them. Whoever has the folder computes them anew with dunlin verify.",
        "That the move was lawful. It is the evidence that people who judge this need.",
    ];
    if report.run.actor.starts_with("local:") {
        limits.push("Who sat at the keyboard. The run was started from a shell, and its actor is the name of a system account, not a person who signed in.");
    }
    if report.run.verified_at.is_none() {
        limits.push("The state of the target today: it was read back as it was loaded, and not since.");
    }
    let items: String = limits.into_iter().map(|limit| format!("<li>{}</li>", escape(limit))).collect();
    section("limits", "What this does not prove", "", &format!("<ul class=\"not\">{items}</ul>"))
}

/// What the rest of the page shortens, in full.
fn full(report: &Report) -> String {
    let mut rows = String::new();
    for facts in &report.tables {
        let hash = |label: &str, hash: &str| cell(label, "", &format!("<code>{}</code>", escape(hash)));
        rows.push_str(&format!(
            "<tr>{}{}{}{}</tr>",
            cell("Table", "lead", &format!("<b class=\"b\">{}</b>", escape(&facts.table))),
            hash("Source", &facts.source_hash),
            hash("Expected", &facts.expected_hash),
            hash("Re-read", &facts.target_hash)
        ));
    }
    let hashes =
        table("", &["Table", "Source as read", "Expected in the target", "Target as re-read"], &rows, "");
    let checkpoint = format!(
        "<h3>Checkpoint of the ledger</h3><pre>{}</pre><h3>Verifier key</h3><pre>{}</pre>",
        escape(report.ledger.checkpoint.trim_end()),
        escape(&report.ledger.verifier)
    );
    let facts = section("run", "The run", "", &super::run_facts(report));
    let ledger = section("ledger", "The ledger", "signed", &checkpoint);
    format!(
        "<div class=\"cols c11\">{facts}{ledger}</div>{}",
        section("hashes", "The hashes in full", "keyed multiset hashes; equal means the same rows", &hashes)
    )
}

/// The last part of the page: for whoever does not want to believe the first.
pub(super) fn all(report: &Report) -> String {
    format!("<div class=\"cols c11\">{}{}</div>{}", check(report), limits(report), full(report))
}
