//! What changed between two plans, in the plan's own terms. Both are compared through their serialised form, so a
//! key that the language gains later cannot be forgotten here, and a change that moves data is exactly one that
//! changes the fingerprint.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::plan::Plan;
use crate::print::value_text;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it concerns, for example `table atlas.people: column email`.
    pub place: String,
    /// What happened to it.
    pub text: String,
    /// Whether it changes the fingerprint, and so voids an approval.
    pub moves: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// The parts that decide the move; see [`Plan::canonical_json`].
const MOVING: [&str; 5] = ["stores", "subject", "tables", "comply", "window"];

/// What changed from the old plan to the new one; empty when both say the same.
pub fn diff(old: &Plan, new: &Plan) -> Vec<Change> {
    let (old, new) = (readable(old), readable(new));
    let mut changes = Vec::new();
    for key in union(&old, &new) {
        let place = match key.as_str() {
            "name" | "summary" => format!("plan {key}"),
            _ => key.clone(),
        };
        let mut found = Vec::new();
        compare(&place, &key, old.get(&key), new.get(&key), &mut found);
        let moves = MOVING.contains(&key.as_str());
        changes.extend(found.into_iter().map(|(place, text)| Change { place, text, moves }));
    }
    changes
}

/// A plan as JSON in which each column's value is one text, as people write it.
fn readable(plan: &Plan) -> Map<String, Value> {
    let mut json = serde_json::to_value(plan).unwrap_or_default();
    for (at, table) in plan.tables.iter().enumerate() {
        for (number, column) in table.columns.iter().enumerate() {
            let Some(Value::Object(shown)) = json["tables"][at]["columns"].get_mut(number) else { continue };
            for key in ["sql", "clean", "from", "region", "formats", "sentinels"] {
                shown.shift_remove(key);
            }
            // SQL and a cleaning function that happen to read alike stay apart.
            let key = if matches!(column.value, crate::ColumnValue::Sql(_)) { "value" } else { "cleaned" };
            shown.insert(key.to_owned(), Value::String(value_text(&column.value)));
        }
    }
    match json {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

type Found = Vec<(String, String)>;

fn union(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<String> {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    old.keys().chain(added).cloned().collect()
}

/// Compares what stands under a key; `place` already names it.
fn compare(place: &str, key: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Found) {
    let old_parts = old.and_then(|value| parts(key, value));
    let new_parts = new.and_then(|value| parts(key, value));
    match (old, new) {
        _ if old == new => {}
        _ if old_parts.is_some() || new_parts.is_some() => {
            compare_parts(place, key, &old_parts.unwrap_or_default(), &new_parts.unwrap_or_default(), found);
        }
        (Some(Value::Object(old)), Some(Value::Object(new))) => compare_objects(place, old, new, found),
        (Some(old), Some(new)) => found.push((place.to_owned(), format!("{} -> {}", shown(old), shown(new)))),
        (Some(old), None) => found.push((place.to_owned(), format!("removed{}", gist(old)))),
        (None, Some(new)) => found.push((place.to_owned(), format!("added{}", gist(new)))),
        (None, None) => {}
    }
}

fn compare_objects(place: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Found) {
    // A column's value has no name of its own: "column email: `a` -> `b`".
    let value_of = |object: &Map<String, Value>| object.get("value").or(object.get("cleaned")).cloned();
    if let (Some(before), Some(after)) = (value_of(old), value_of(new))
        && (before != after || old.contains_key("value") != new.contains_key("value"))
    {
        found.push((place.to_owned(), format!("{} -> {}", shown(&before), shown(&after))));
    }
    for key in union(old, new).into_iter().filter(|key| key != "value" && key != "cleaned") {
        compare(&format!("{place}: {key}"), &key, old.get(&key), new.get(&key), found);
    }
}

/// The parts of a list or map of tables: a label for each, and the part.
type Parts<'a> = Vec<(String, &'a Value)>;

/// What a list's parts are called, and which of their keys names them.
fn naming(key: &str) -> Option<(&'static str, &'static str)> {
    Some(match key {
        "tables" => ("table", "to"),
        "columns" => ("column", "target"),
        "drop" => ("drop", "column"),
        "rules" => ("rule", "name"),
        "sets" => ("set", "name"),
        "fix" => ("fix", "column"),
        "enrich" => ("enrich", "from"),
        "people" => ("person", "email"),
        "waivers" => ("waiver", "rule"),
        "notices" => ("notice", "file"),
        _ => return None,
    })
}

fn parts<'a>(key: &str, value: &'a Value) -> Option<Parts<'a>> {
    if key == "stores" {
        let stores = value.as_object()?.iter();
        return Some(stores.map(|(name, store)| (format!("store {name}"), store)).collect());
    }
    let (noun, name_key) = naming(key)?;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let parts = value.as_array()?.iter().map(|part| {
        let name = part[name_key].as_str().unwrap_or_default();
        let count = seen.entry(name.to_owned()).or_default();
        *count += 1;
        // Two tables may append to one target; the second is "#2".
        let label = if *count > 1 { format!("{noun} {name} #{count}") } else { format!("{noun} {name}") };
        (label, part)
    });
    Some(parts.collect())
}

fn compare_parts(place: &str, key: &str, old: &Parts<'_>, new: &Parts<'_>, found: &mut Found) {
    let prefix = match place.strip_suffix(key) {
        Some(before) => before.to_owned(),
        None => format!("{place}: "),
    };
    let find = |parts: &Parts<'_>, label: &str| -> Option<usize> {
        parts.iter().position(|(name, _)| name == label)
    };
    for (label, part) in old {
        let after = find(new, label).map(|at| new[at].1);
        compare(&format!("{prefix}{label}"), "", Some(part), after, found);
    }
    for (label, part) in new.iter().filter(|(label, _)| find(old, label).is_none()) {
        compare(&format!("{prefix}{label}"), "", None, Some(part), found);
    }
    let common = |parts: &Parts<'_>, other: &Parts<'_>| -> Vec<String> {
        parts.iter().map(|(label, _)| label.clone()).filter(|label| find(other, label).is_some()).collect()
    };
    let (before, after) = (common(old, new), common(new, old));
    if key != "stores" && before != after {
        found.push((place.to_owned(), format!("in another order: {}", after.join(", "))));
    }
}

/// What a part that came or went is about.
fn gist(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let telling = ["value", "cleaned", "check", "reason", "url", "from"];
            let text = telling.iter().find_map(|key| object.get(*key));
            text.map_or(String::new(), |text| format!(": {}", shown(text)))
        }
        scalar => format!(": {}", shown(scalar)),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}
