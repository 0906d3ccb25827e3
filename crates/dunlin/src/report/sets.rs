//! Rules on all rows of a table together, for a terminal and for the page.

use dunlin_move::SetResult;

use super::Report;
use super::parts::{cell, code, mark, section, table, tag};
use super::text::{count, escape};

/// The rules of a table that do not hold, a line each; nothing where all do.
pub(crate) fn lines(label: &str, sets: &[SetResult]) -> Vec<String> {
    let broken = sets.iter().filter(|set| !set.holds);
    let line = |set: &SetResult| {
        let sign = if set.stops() { "✗" } else { "!" };
        format!("  {sign} {label}: rule `{}` does not hold: {}; {}", set.name, set.check, found(set))
    };
    broken.map(line).collect()
}

/// What there is, in words.
fn found(set: &SetResult) -> String {
    match (&set.is, set.broken) {
        (Some(is), _) => format!("it is {is}"),
        (None, Some(rows)) => {
            let against = format!("{} against it", count(rows, "row is", "rows are"));
            match set.others {
                None | Some(0) => against,
                Some(others) if others == rows => {
                    format!("{against}: dunlin did not load them as they are, so they are not its to move")
                }
                Some(others) => {
                    format!(
                        "{against}, {others} of them not loaded by dunlin as they are, so not its to move"
                    )
                }
            }
        }
        (None, None) => String::new(),
    }
}

/// The page's section; nothing where the plan has no such rule.
pub(super) fn part(report: &Report) -> String {
    let all: Vec<(&str, &SetResult)> =
        report.tables.iter().flat_map(|t| t.sets.iter().map(|set| (t.table.as_str(), set))).collect();
    if all.is_empty() {
        return String::new();
    }
    let row = |(label, set): &(&str, &SetResult)| {
        let name =
            format!("<b class=\"b\">{}</b><span class=\"s\">{}</span>", escape(&set.name), escape(label));
        let class = if set.otherwise == "stop" { "x" } else { "w" };
        format!(
            "<tr>{}{}{}{}{}</tr>",
            cell("Rule", "lead", &name),
            cell("Must hold", "", &code(&set.check)),
            cell("Otherwise", "", &tag(&set.otherwise, class)),
            cell("Found", "", &escape(&found(set))),
            cell("Proof", "", &mark(set.holds, "holds", "does not hold"))
        )
    };
    let rows: String = all.iter().map(row).collect();
    let holding = all.iter().filter(|(_, set)| set.holds).count();
    let title = format!("{holding} of {} on whole tables hold", count(all.len() as u64, "rule", "rules"));
    let heads = ["Rule", "Must hold", "Otherwise", "Found", "Proof"];
    section("sets", &title, "asked of all rows of the target together", &table("compact", &heads, &rows, ""))
}
