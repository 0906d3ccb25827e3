//! Single changes to the plan's text: set a value, add one to a list, give one another name, remove one. Formatting and comments around them stay.

use serde::Deserialize;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Key, Table, Value};
use utoipa::ToSchema;

/// One change.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = PlanStep)]
pub(crate) enum Step {
    /// Puts a value at a place; tables on the way are made.
    Set {
        /// The way there: keys, and numbers from 0 in lists of tables, e.g. `["table", 0, "where"]`.
        #[schema(value_type = Vec<Object>, min_items = 1)]
        path: Vec<Part>,
        /// Text, number, truth value, or a list of these.
        #[schema(value_type = Object)]
        value: serde_json::Value,
    },
    /// Adds to the end of a list: a table to a list of tables (`[[table.rule]]`), which is made where there is none, or a
    /// value to a list of values.
    Append {
        /// The way to the list, e.g. `["table", 0, "rule"]`.
        #[schema(value_type = Vec<Object>, min_items = 1)]
        path: Vec<Part>,
        /// What is added.
        #[schema(value_type = Object)]
        value: serde_json::Value,
    },
    /// Gives what stands at a place another name; its place and comments stay.
    Rename {
        /// The way there, e.g. `["table", 0, "columns", "mail"]`.
        #[schema(value_type = Vec<Object>, min_items = 1)]
        path: Vec<Part>,
        /// The new name.
        #[schema(min_length = 1)]
        to: String,
    },
    /// Takes away what stands at a place.
    Remove {
        /// The way there.
        #[schema(value_type = Vec<Object>, min_items = 1)]
        path: Vec<Part>,
    },
}

/// One step on the way to a value.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Part {
    /// A number in a list.
    At(usize),
    /// A key in a table.
    Key(String),
}

/// Why a change cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EditError {
    /// The text is not TOML.
    #[error("the plan is not TOML, so that single values cannot be changed; send it whole")]
    NotToml,
    /// There is nothing at the place.
    #[error("the plan has nothing at the place that a change names")]
    NoSuchPlace,
    /// The new name is another's.
    #[error("the plan has something under the new name already")]
    Taken,
    /// A value that TOML does not have.
    #[error("a value is neither text, number, truth value nor a list or table of these")]
    NotAValue,
}

/// The text with the changes made, one after the other.
pub(crate) fn apply(text: &str, steps: &[Step]) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|_| EditError::NotToml)?;
    for step in steps {
        match step {
            Step::Set { path, value } => set(document.as_item_mut(), path, toml(value)?)?,
            Step::Append { path, value } => append(document.as_item_mut(), path, value)?,
            Step::Rename { path, to } => rename(document.as_item_mut(), path, to)?,
            Step::Remove { path } => remove(document.as_item_mut(), path)?,
        }
    }
    Ok(document.to_string())
}

fn set(root: &mut Item, path: &[Part], mut value: Value) -> Result<(), EditError> {
    let (last, way) = path.split_last().ok_or(EditError::NoSuchPlace)?;
    let parent = way.iter().try_fold(root, |item, part| down(item, part, true))?;
    match last {
        Part::Key(key) => {
            let table = parent.as_table_like_mut().ok_or(EditError::NoSuchPlace)?;
            if let Some(old) = table.get(key).and_then(Item::as_value) {
                *value.decor_mut() = old.decor().clone();
            }
            match table.get_mut(key) {
                Some(item) => *item = Item::Value(value),
                None => drop(table.insert(key, Item::Value(value))),
            }
        }
        Part::At(at) => {
            let list = parent.as_array_mut().ok_or(EditError::NoSuchPlace)?;
            if *at == list.len() {
                list.push(value);
            } else {
                let old = list.get_mut(*at).ok_or(EditError::NoSuchPlace)?;
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
        }
    }
    Ok(())
}

fn append(root: &mut Item, path: &[Part], value: &serde_json::Value) -> Result<(), EditError> {
    let (last, way) = path.split_last().ok_or(EditError::NoSuchPlace)?;
    let parent = way.iter().try_fold(root, |item, part| down(item, part, true))?;
    if let Part::Key(key) = last {
        let table = parent.as_table_like_mut().ok_or(EditError::NoSuchPlace)?;
        if !table.contains_key(key) {
            let empty = match value {
                serde_json::Value::Object(_) => Item::ArrayOfTables(ArrayOfTables::new()),
                _ => Item::Value(Value::Array(Array::new())),
            };
            table.insert(key, empty);
        }
    }
    match (down(parent, last, false)?, value) {
        (Item::ArrayOfTables(tables), serde_json::Value::Object(fields)) => {
            let mut table = Table::new();
            for (key, value) in fields {
                table.insert(key, Item::Value(toml(value)?));
            }
            tables.push(table);
            Ok(())
        }
        (Item::ArrayOfTables(_), _) => Err(EditError::NotAValue),
        (item, value) => {
            let list = item.as_array_mut().ok_or(EditError::NoSuchPlace)?;
            // The space before the bracket stays there.
            let space = list.iter_mut().last().and_then(|last| {
                let space = last.decor().suffix().cloned();
                last.decor_mut().set_suffix("");
                space
            });
            list.push(toml(value)?);
            if let (Some(space), Some(last)) = (space, list.iter_mut().last()) {
                last.decor_mut().set_suffix(space);
            }
            Ok(())
        }
    }
}

fn rename(root: &mut Item, path: &[Part], to: &str) -> Result<(), EditError> {
    let (Some(Part::Key(from)), way) = (path.last(), &path[..path.len().saturating_sub(1)]) else {
        return Err(EditError::NoSuchPlace);
    };
    let parent = way.iter().try_fold(root, |item, part| down(item, part, false))?;
    let table = parent.as_table_like().ok_or(EditError::NoSuchPlace)?;
    if !table.contains_key(from) {
        return Err(EditError::NoSuchPlace);
    }
    if from != to && table.contains_key(to) {
        return Err(EditError::Taken);
    }
    // Only what is inserted anew can have another name: everything is, in its order.
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let named = |key: Key| {
        if key.get() != from {
            return key;
        }
        Key::new(to).with_leaf_decor(key.leaf_decor().clone()).with_dotted_decor(key.dotted_decor().clone())
    };
    for key in keys {
        match parent {
            Item::Table(table) => {
                let (key, item) = table.remove_entry(&key).ok_or(EditError::NoSuchPlace)?;
                table.insert_formatted(&named(key), item);
            }
            Item::Value(Value::InlineTable(table)) => {
                let (key, value) = table.remove_entry(&key).ok_or(EditError::NoSuchPlace)?;
                table.insert_formatted(&named(key), value);
            }
            _ => return Err(EditError::NoSuchPlace),
        }
    }
    Ok(())
}

fn remove(root: &mut Item, path: &[Part]) -> Result<(), EditError> {
    let (last, way) = path.split_last().ok_or(EditError::NoSuchPlace)?;
    let parent = way.iter().try_fold(root, |item, part| down(item, part, false))?;
    match last {
        Part::Key(key) => {
            let table = parent.as_table_like_mut().ok_or(EditError::NoSuchPlace)?;
            table.remove(key).map(drop).ok_or(EditError::NoSuchPlace)
        }
        Part::At(at) => match parent {
            Item::ArrayOfTables(tables) if *at < tables.len() => {
                tables.remove(*at);
                Ok(())
            }
            other => {
                let list = other.as_array_mut().filter(|list| *at < list.len());
                list.map(|list| drop(list.remove(*at))).ok_or(EditError::NoSuchPlace)
            }
        },
    }
}

fn down<'a>(item: &'a mut Item, part: &Part, make: bool) -> Result<&'a mut Item, EditError> {
    match part {
        Part::Key(key) => {
            let table = item.as_table_like_mut().ok_or(EditError::NoSuchPlace)?;
            if make && !table.contains_key(key) {
                table.insert(key, toml_edit::table());
            }
            table.get_mut(key).ok_or(EditError::NoSuchPlace)
        }
        // The way through a list of tables needs an `Item`, which `ArrayOfTables` does not hand out.
        Part::At(at) => {
            let is_tables = matches!(item, Item::ArrayOfTables(_));
            if is_tables { tables_at(item, *at) } else { item.get_mut(*at).ok_or(EditError::NoSuchPlace) }
        }
    }
}

fn tables_at(item: &mut Item, at: usize) -> Result<&mut Item, EditError> {
    item.get_mut(at).ok_or(EditError::NoSuchPlace)
}

fn toml(value: &serde_json::Value) -> Result<Value, EditError> {
    use serde_json::Value as J;
    Ok(match value {
        J::String(text) => Value::from(text.as_str()),
        J::Bool(truth) => Value::from(*truth),
        J::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64().ok_or(EditError::NotAValue)?),
        },
        J::Array(list) => Value::Array(list.iter().map(toml).collect::<Result<_, _>>()?),
        J::Object(fields) => {
            let pairs = fields.iter().map(|(key, value)| Ok((key.as_str(), toml(value)?)));
            Value::InlineTable(pairs.collect::<Result<_, EditError>>()?)
        }
        J::Null => return Err(EditError::NotAValue),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(json: &str) -> Vec<Step> {
        serde_json::from_str(json).unwrap()
    }

    const TEXT: &str = "# the plan\n[plan]\nname = \"a\"   # its name\n\n[[table]] # first\nfrom = 'a.t'\n\
                        to   = \"b.t\"\nkey  = [ \"id\" ] # key\n";

    #[test]
    fn a_value_changes_and_everything_around_it_stays() {
        let made = apply(TEXT, &steps(r#"[{"op":"set","path":["plan","name"],"value":"b"}]"#)).unwrap();
        assert_eq!(made, TEXT.replace("\"a\"   #", "\"b\"   #"));
        let made = apply(TEXT, &steps(r#"[{"op":"set","path":["table",0,"key",0],"value":"no"}]"#)).unwrap();
        assert_eq!(made, TEXT.replace("[ \"id\" ]", "[ \"no\" ]"));
    }

    #[test]
    fn values_come_and_go() {
        let json = r#"[{"op":"set","path":["table",0,"columns","x"],"value":"upper(x)"},
                       {"op":"remove","path":["table",0,"key"]}]"#;
        let made = apply(TEXT, &steps(json)).unwrap();
        assert!(
            made.contains("x = \"upper(x)\"") && !made.contains("key") && made.contains("# first"),
            "{made}"
        );
        let gone = apply(TEXT, &steps(r#"[{"op":"remove","path":["table",0]}]"#)).unwrap();
        assert!(!gone.contains("[[table]]"));
    }

    #[test]
    fn lists_grow_and_names_change_where_they_stand() {
        let json = r#"[{"op":"append","path":["table",0,"rule"],"value":{"name":"adults","check":"age >= 18"}},
                       {"op":"append","path":["table",0,"rule"],"value":{"name":"short","check":"length(x) < 9"}},
                       {"op":"append","path":["table",0,"key"],"value":"no"},
                       {"op":"append","path":["comply","packs"],"value":"gdpr"}]"#;
        let made = apply(TEXT, &steps(json)).unwrap();
        assert!(made.starts_with(&TEXT.replace("[ \"id\" ]", "[ \"id\", \"no\" ]")), "{made}");
        assert_eq!(made.matches("[[table.rule]]").count(), 2, "{made}");
        let again: toml_edit::DocumentMut = made.parse().unwrap();
        assert_eq!(again["table"][0]["rule"][1]["name"].as_str(), Some("short"));
        assert_eq!(again["comply"]["packs"][0].as_str(), Some("gdpr"));

        let renamed =
            apply(TEXT, &steps(r#"[{"op":"rename","path":["table",0,"to"],"to":"into"}]"#)).unwrap();
        assert_eq!(renamed, TEXT.replace("to   =", "into   ="));
        let inline =
            apply("a = { x = 1, y = 2 } # both\n", &steps(r#"[{"op":"rename","path":["a","x"],"to":"z"}]"#));
        assert_eq!(inline.unwrap(), "a = { z = 1, y = 2 } # both\n");
        let taken = apply(TEXT, &steps(r#"[{"op":"rename","path":["table",0,"to"],"to":"from"}]"#));
        assert_eq!(taken, Err(EditError::Taken));
        for json in [
            r#"[{"op":"rename","path":["table",0],"to":"x"}]"#,
            r#"[{"op":"rename","path":["plan","nothing"],"to":"x"}]"#,
            r#"[{"op":"append","path":["plan","name"],"value":"x"}]"#,
            r#"[{"op":"append","path":[],"value":"x"}]"#,
        ] {
            assert_eq!(apply(TEXT, &steps(json)), Err(EditError::NoSuchPlace), "{json}");
        }
        let odd = apply(TEXT, &steps(r#"[{"op":"append","path":["table"],"value":3}]"#));
        assert_eq!(odd, Err(EditError::NotAValue));
    }

    #[test]
    fn a_place_that_is_not_there_is_refused_and_nothing_changes() {
        for json in [
            r#"[{"op":"set","path":["table",7,"where"],"value":"x"}]"#,
            r#"[{"op":"set","path":["plan","name","deeper"],"value":"x"}]"#,
            r#"[{"op":"remove","path":["nothing"]}]"#,
            r#"[{"op":"set","path":[],"value":"x"}]"#,
            r#"[{"op":"remove","path":["table",0,"key",4]}]"#,
        ] {
            assert_eq!(apply(TEXT, &steps(json)), Err(EditError::NoSuchPlace), "{json}");
        }
        let null = r#"[{"op":"set","path":["plan","name"],"value":null}]"#;
        assert_eq!(apply(TEXT, &steps(null)), Err(EditError::NotAValue));
    }
}
