//! Index statements of another PostgreSQL: the same index on a table of another name. Not a parser of SQL; it reads
//! the one form that `pg_get_indexdef` writes.

use super::sql;
use crate::{Index, TableName};

/// The statement that makes this index on `table`, under `name` or one the server picks.
pub(super) fn statement(index: &Index, table: &TableName, name: Option<&str>) -> Option<String> {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let name = name.map(|n| format!("{} ", sql::ident(n))).unwrap_or_default();
    let body = match index.definition.as_deref().and_then(body) {
        Some(body) => body.to_owned(),
        None if index.columns.is_empty() => return None,
        None => format!("({})", sql::idents(&index.columns)),
    };
    Some(format!("CREATE {unique}INDEX {name}ON {} {body}", sql::table(table)))
}

/// What follows the table's name: `USING btree (…) …`.
fn body(definition: &str) -> Option<&str> {
    let rest = definition.strip_prefix("CREATE ")?;
    let rest = rest.strip_prefix("UNIQUE ").unwrap_or(rest).strip_prefix("INDEX ")?;
    let rest = skip_ident(rest)?.strip_prefix(" ON ")?;
    let mut rest = skip_ident(rest.strip_prefix("ONLY ").unwrap_or(rest))?;
    if let Some(name) = rest.strip_prefix('.') {
        rest = skip_ident(name)?;
    }
    let body = rest.strip_prefix(' ')?;
    body.starts_with("USING ").then_some(body)
}

/// What follows an identifier, quoted or not.
fn skip_ident(text: &str) -> Option<&str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))?;
        return (end > 0).then(|| &text[end..]);
    };
    let mut at = 0;
    loop {
        at += quoted[at..].find('"')? + 1;
        if !quoted[at..].starts_with('"') {
            return Some(&quoted[at..]);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_move_to_another_table() {
        let table = TableName { schema: Some("app".into()), name: "people".into() };
        let made = |definition: &str, name| {
            let index = Index {
                name: "i".into(),
                columns: vec![],
                unique: definition.contains("UNIQUE"),
                definition: Some(definition.to_owned()),
            };
            statement(&index, &table, name)
        };
        let lower = "CREATE UNIQUE INDEX i ON ONLY public.\"Cust \"\"omers\" USING btree (lower(email)) WHERE (NOT gone)";
        assert_eq!(
            made(lower, Some("i")).unwrap(),
            r#"CREATE UNIQUE INDEX "i" ON "app"."people" USING btree (lower(email)) WHERE (NOT gone)"#
        );
        assert_eq!(
            made("CREATE INDEX \"a ON b\" ON t USING gin (tags)", None).unwrap(),
            r#"CREATE INDEX ON "app"."people" USING gin (tags)"#
        );
        assert_eq!(made("CREATE INDEX i ON public.t(x); DROP TABLE y", None), None);
        assert_eq!(made("nonsense", None), None);
    }
}
