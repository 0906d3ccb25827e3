//! The matrix for a terminal.

use dunlin_quality::packs::{State, Verdict};

use super::Matrix;
use crate::output;

/// States in the order in which they are shown: what asks for something first.
const STATES: [(State, &str, &str); 5] = [
    (State::Violated, "✗", "violated"),
    (State::NeedsPerson, "?", "needs a person"),
    (State::Waived, "~", "waived"),
    (State::Satisfied, "✓", "satisfied"),
    (State::NotApplicable, "–", "not applicable"),
];

/// The matrix as lines: each rule with its state, and under those that ask for something where, why and how to mend it.
pub fn table(matrix: &Matrix) -> Vec<String> {
    let mut lines = Vec::new();
    for pack in &matrix.packs {
        let rules: Vec<&Verdict> = matrix.rules.iter().filter(|rule| rule.pack == pack.pack).collect();
        let counts: Vec<String> = STATES
            .iter()
            .map(|(state, _, words)| (rules.iter().filter(|r| r.state == *state).count(), words))
            .filter(|(n, _)| *n > 0)
            .map(|(n, words)| format!("{n} {words}"))
            .collect();
        lines.push(format!("{}: {}", pack.title, counts.join(", ")));
        for (state, mark, words) in STATES {
            let of_state = rules.iter().filter(|rule| rule.state == state);
            match state {
                State::NotApplicable => {
                    let ids: Vec<&str> = of_state.map(|rule| rule.rule.as_str()).collect();
                    if !ids.is_empty() {
                        lines.extend(wrapped(&format!("  {mark} {words}: {}", ids.join(" ")), "    "));
                    }
                }
                State::Satisfied => {
                    of_state
                        .for_each(|rule| lines.push(format!("  {mark} {:<13} {}", rule.rule, rule.title)));
                }
                _ => of_state.for_each(|rule| lines.extend(open(rule, mark, words))),
            }
        }
        lines.push(String::new());
    }
    if let Some(pack) = matrix.packs.first() {
        lines.push(pack.notice.clone());
    }
    lines
}

fn open(rule: &Verdict, mark: &str, words: &str) -> Vec<String> {
    let mut lines = vec![format!("  {mark} {:<13} {} [{words}; {}]", rule.rule, rule.title, rule.reference)];
    let mut say = |what: &str, text: &str| {
        if !text.is_empty() {
            lines.extend(wrapped(&format!("      {what}: {text}"), "        "));
        }
    };
    say("why", &rule.why);
    say("where", &rule.places.join(", "));
    match &rule.waiver {
        Some(waiver) => {
            let until = waiver.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
            say("waived", &format!("{} ({}{until})", waiver.reason, waiver.by));
        }
        None => say("mend", &rule.help),
    }
    lines
}

/// A line broken at the terminal's width; further lines begin with `indent`.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let width = output::width().max(40);
    let start: String = text.chars().take_while(|c| *c == ' ').collect();
    let (mut lines, mut line) = (Vec::new(), start);
    for word in text.split_whitespace() {
        let fresh = line.trim().is_empty();
        if !fresh && line.chars().count() + word.chars().count() + 1 > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
            line.push_str(word);
            continue;
        }
        if !fresh {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
