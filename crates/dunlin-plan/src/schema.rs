//! The JSON Schema of the plan file, generated from `form`. The committed copy is `docs/plan.schema.json`.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::form::PlanFile;

/// The JSON Schema (2020-12) of the plan file, for completion in editors.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<PlanFile>().to_value();
    allow_absence(&mut schema);
    schema
}

/// TOML has no null: an optional key is left out, so the schema must not offer `null`.
fn allow_absence(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            drop_null_branch(object);
            object.values_mut().for_each(allow_absence);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_absence),
        _ => {}
    }
}

/// `anyOf: [X, null]` becomes X, its own description first.
fn drop_null_branch(object: &mut serde_json::Map<String, Value>) {
    let Some(Value::Array(branches)) = object.get_mut("anyOf") else { return };
    branches.retain(|branch| branch.get("type").is_none_or(|kind| kind != "null"));
    if let [Value::Object(only)] = branches.as_slice() {
        let only = only.clone();
        object.shift_remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::sections;

    fn keys(form: &Value) -> Vec<String> {
        let mut keys: Vec<String> = form["properties"].as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    }

    #[test]
    fn the_schema_has_exactly_the_keys_that_are_read() {
        let schema = schema();
        let mut forms = 0;
        for section in sections() {
            let form = if section.form == "PlanFile" { &schema } else { &schema["$defs"][section.form] };
            let mut read: Vec<&str> = section.keys.to_vec();
            read.sort_unstable();
            assert_eq!(keys(form), read, "{}", section.form);
            forms += 1;
        }
        let defined = schema["$defs"].as_object().unwrap().values();
        assert_eq!(forms, 1 + defined.filter(|form| form.get("properties").is_some()).count());
    }

    #[test]
    fn nothing_may_be_null() {
        let text = schema().to_string();
        assert!(!text.contains(r#""type":"null""#) && !text.contains(r#""null"]"#), "{:#}", schema());
    }
}
