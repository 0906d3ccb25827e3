//! The plan reference, `docs/plan.md`: generated from the schema, and so from the doc comments of `form` and
//! `vocabulary`.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::schema::schema;

/// The complete example; a test reads it without a finding.
const EXAMPLE: &str = include_str!("../tests/design.toml");

/// The parts in the order of the plan, with their headings.
const PARTS: [(&str, &str); 18] = [
    ("Head", "[plan]"),
    ("Company", "[company]"),
    ("Store", "[store.NAME]"),
    ("Subject", "[subject]"),
    ("Person", "[[person]]"),
    ("Window", "[window]"),
    ("Comply", "[comply]"),
    ("Statement", "[[comply.statement]]"),
    ("Waiver", "[[comply.waiver]]"),
    ("Table", "[[table]]"),
    ("Column", "[table.columns] column = { … }"),
    ("Rule", "[[table.rule]]"),
    ("Set", "[[table.set]]"),
    ("Totals", "[table.totals]"),
    ("Duplicates", "[table.duplicates]"),
    ("Enrich", "[[table.enrich]]"),
    ("Notice", "[[notice]]"),
    ("Ledger", "[ledger]"),
];

const HEAD: &str = "# The plan

<!-- Generated from the code; `DUNLIN_BLESS=1 cargo test -p dunlin-plan` writes it again. -->

The plan is a TOML file, `dunlin.toml`. It says what moves where, who works on it, and what must hold.
`dunlin check` reads it and names every mistake with its line. Editors complete it with
[the schema](plan.schema.json): put `#:schema https://…/plan.schema.json` on its first line.

Names of tables are `store.table` or `store.schema.table`; a part with a dot or a blank stands in quotes.
`where`, `retain`, `key`, `survivor` and the columns' SQL read source columns; `check`, `fix` and `match` read target
columns. The *fingerprint*, which an approval binds, covers the stores, the subject, the tables, `comply` and `window`.
";

/// The plan reference as Markdown.
pub fn reference() -> String {
    let schema = schema();
    let mut page = HEAD.to_owned();
    let _ = write!(page, "\n## An example\n\n```toml\n{}```\n", EXAMPLE);
    for (form, heading) in PARTS {
        write_part(&mut page, heading, &schema["$defs"][form]);
    }
    page.push_str("\n## Words\n");
    let definitions = schema["$defs"].as_object().into_iter().flatten();
    for (name, words) in definitions.filter(|(_, form)| form.get("oneOf").is_some()) {
        write_words(&mut page, name, words);
    }
    page.push_str("\n## Findings\n\nThe codes that `dunlin check` shows about the plan itself.\n\n");
    page.push_str("| code | meaning |\n| --- | --- |\n");
    for (code, meaning) in crate::CODES {
        let _ = writeln!(page, "| `{code}` | {meaning} |");
    }
    page
}

fn description(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

fn write_part(page: &mut String, heading: &str, form: &Value) {
    let _ = write!(page, "\n## `{heading}`\n\n{}\n\n", description(form));
    page.push_str("| key | value | | meaning |\n| --- | --- | --- | --- |\n");
    let empty = Map::new();
    let required: Vec<&str> =
        form["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (key, value) in form["properties"].as_object().unwrap_or(&empty) {
        let must = if required.contains(&key.as_str()) { "required" } else { "" };
        let _ = writeln!(page, "| `{key}` | {} | {must} | {} |", type_of(value), description(value));
    }
}

/// The type of a value in words; a vocabulary is a link.
fn type_of(value: &Value) -> String {
    if let Some(name) = value["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return match PARTS.iter().find(|(form, _)| *form == name) {
            Some(_) => "a table".to_owned(),
            None if name == "ColumnValue" => "SQL or a table".to_owned(),
            None => format!("[{name}](#{})", name.to_lowercase()),
        };
    }
    if value["format"] == "date" {
        return "date".to_owned();
    }
    match value["type"].as_str() {
        Some("array") => match type_of(&value["items"]).as_str() {
            "a table" => "list of tables".to_owned(),
            other => format!("list of {other}"),
        },
        Some("object") => format!("table of {}", type_of(&value["additionalProperties"])),
        Some("boolean") => "true or false".to_owned(),
        Some("number") => "number".to_owned(),
        Some("string") if value["maxLength"] == 1 => "one character".to_owned(),
        _ => "text".to_owned(),
    }
}

fn write_words(page: &mut String, name: &str, words: &Value) {
    let _ = write!(page, "\n### {name}\n\n{}\n\n| word | meaning |\n| --- | --- |\n", description(words));
    for word in words["oneOf"].as_array().into_iter().flatten() {
        let _ =
            writeln!(page, "| `{}` | {} |", word["const"].as_str().unwrap_or_default(), description(word));
    }
}
