//! How each column of a load reaches its table: straight by binary COPY, or as text through the server's own input
//! routine by way of a temporary table.

use super::catalog::{Relation, Wire};
use super::connection::{Loan, Pool};
use super::sql;
use crate::{ColumnType, ConnectError, LoadSpec, Result};

/// How a column of a load is written.
pub(super) struct Planned {
    /// Its name.
    pub(super) name: String,
    /// The type its values are encoded as.
    pub(super) ty: ColumnType,
    /// Whether they are encoded as plain text instead.
    pub(super) as_text: bool,
    /// The type to cast to from text, where the server's input routine has to read it.
    pub(super) cast: Option<String>,
}

/// Decides how a column is written.
pub(super) fn plan(
    pool: &Pool,
    spec: &LoadSpec,
    load: &crate::LoadColumn,
    wires: &[Wire],
) -> Result<Planned> {
    let column = &spec.table.columns[load.index];
    let name = column.name.clone();
    let unsupported = |what: String, help: &str| ConnectError::Unsupported {
        store: pool.config.store.clone(),
        what,
        help: help.to_owned(),
    };
    let Some(wire) = wires.iter().find(|w| w.column.name == name) else {
        return Err(ConnectError::Missing {
            store: pool.config.store.clone(),
            what: format!("column {name} of {}", spec.table.name),
            help: "read the table again: it has changed since the plan was resolved".into(),
        });
    };
    if wire.column.generated.is_some() {
        return Err(unsupported(
            format!("writing the generated column {name} of {}", spec.table.name),
            "leave it out of the mapping: the target computes it",
        ));
    }
    let as_text = load.as_text || matches!(column.ty, ColumnType::Text { .. });
    if !as_text {
        return if same_wire(&column.ty, &wire.column.ty) {
            Ok(Planned { name, ty: column.ty.clone(), as_text: false, cast: None })
        } else {
            Err(unsupported(
                format!(
                    "writing {} into {name} of {}, which is {}",
                    column.ty, spec.table.name, wire.column.ty
                ),
                "read the target table again, or let the column arrive as text",
            ))
        };
    }
    // Where the value is text all the way, the column's own limit is checked before it is sent.
    let ty = if wire.takes_text { wire.column.ty.clone() } else { ColumnType::TEXT };
    let cast = (!wire.takes_text).then(|| wire.type_name.clone());
    let limited = matches!(ty, ColumnType::Text { .. } | ColumnType::Char { .. });
    Ok(Planned { name, as_text: !limited, ty, cast })
}

/// Whether two types have one binary form.
fn same_wire(a: &ColumnType, b: &ColumnType) -> bool {
    let text = |t: &ColumnType| matches!(t, ColumnType::Text { .. } | ColumnType::Char { .. });
    let number = |t: &ColumnType| matches!(t, ColumnType::Decimal { .. } | ColumnType::Numeric);
    match (a, b) {
        // Another scale would be rounded without a word.
        (ColumnType::Decimal { scale: a, .. }, ColumnType::Decimal { scale: b, .. }) => a <= b,
        (ColumnType::Numeric, ColumnType::Decimal { .. }) => false,
        (ColumnType::Opaque { name: a }, ColumnType::Opaque { name: b }) => a == b,
        _ => {
            text(a) && text(b)
                || number(a) && number(b)
                || std::mem::discriminant(a) == std::mem::discriminant(b)
        }
    }
}

/// Makes the temporary table where one is needed, and gives the statement that empties it into the real one.
pub(super) async fn stage(
    session: &Loan,
    act: &str,
    relation: &Relation,
    columns: &[Planned],
) -> Result<Option<String>> {
    if columns.iter().all(|c| c.cast.is_none()) {
        return Ok(None);
    }
    let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
    let into = sql::table(&relation.name);
    let list = sql::idents(&names);
    let select = |c: &Planned| {
        let name = sql::ident(&c.name);
        match &c.cast {
            Some(_) => format!("NULL::pg_catalog.text AS {name}"),
            None => format!("t.{name}"),
        }
    };
    let shape = columns.iter().map(select).collect::<Vec<_>>().join(", ");
    let create = format!(
        "DROP TABLE IF EXISTS pg_temp.dunlin_stage; \
         CREATE TEMP TABLE dunlin_stage ON COMMIT DROP AS SELECT {shape} FROM {into} t LIMIT 0"
    );
    session.run(act, &create).await?;
    let cast = |c: &Planned| {
        let name = sql::ident(&c.name);
        c.cast.as_ref().map_or(name.clone(), |ty| format!("{name}::{ty}"))
    };
    let values = columns.iter().map(cast).collect::<Vec<_>>().join(", ");
    Ok(Some(format!(
        "INSERT INTO {into} ({list}) OVERRIDING SYSTEM VALUE SELECT {values} FROM pg_temp.dunlin_stage; \
         TRUNCATE pg_temp.dunlin_stage"
    )))
}
