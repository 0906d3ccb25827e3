//! A rehearsal's copy by HIPAA's Safe Harbor (45 CFR 164.514(b)(2)): the plan as it is for such a copy. Each column that
//! the pack's eighteen identifiers name, by kind, name, type or values, is taken out, made coarse or made up, and so is
//! every text in which the detectors find something, and every value that they cannot look at. Kinds that the plan does not state are told from the first rows.
//!
//! Not here: what each word of `protect` does, and whether anything survived (`examine`).

use std::collections::{BTreeMap, BTreeSet};

use dunlin_connect::ColumnType;
use dunlin_plan::{ColumnPlan, ColumnValue, Kind, Plan, Protect, Sql, Word, quote_identifier};
use dunlin_quality::packs::{ColumnFacts, TableFacts, way_out};

use crate::resolve::try_resolve;
use crate::spec::{Mapped, TableSpec, Value};
use crate::stores::Stores;
use crate::{MoveError, Result};

/// A guess of this confidence is believed: here a doubt hides.
const SURE: f64 = 0.5;

/// The plan of a de-identified copy.
///
/// # Errors
/// Those of the stores; [`MoveError::Findings`] where the plan does not fit them; and where a key is itself an identifier:
/// rows must be told apart by something that says nothing of a person (45 CFR 164.514(c)).
pub(crate) async fn deidentified(plan: &Plan, stores: &Stores, now_us: i64) -> Result<Plan> {
    let (resolved, findings) = try_resolve(plan, stores, now_us, &BTreeMap::new()).await?;
    if findings.iter().any(|f| f.level == dunlin_plan::Level::Error) {
        return Err(MoveError::Findings(findings));
    }
    let mut copy = plan.clone();
    for table in &mut copy.tables {
        let label = table.label();
        let Some(spec) = resolved.specs.iter().find(|spec| spec.label == label) else { continue };
        let (facts, unseen) = seen(spec, stores).await?;
        if table.columns.is_empty() {
            table.columns = spec.mapping.columns.iter().map(|m| plain(&m.target, table.span)).collect();
        }
        for column in &facts.columns {
            let way = way_out(column);
            // What cannot be looked at is an identifier until somebody says what it is.
            let hides = !column.hits.is_empty() || unseen.contains(&column.name);
            let way = way.or(hides.then_some("remove"));
            let Some(way) = way.and_then(Protect::from_word) else { continue };
            if column.key {
                return Err(is_key(&label, &column.name));
            }
            if let Some(planned) = table.columns.iter_mut().find(|c| c.target == column.name) {
                planned.protect = Some(way);
                planned.kind = planned.kind.or_else(|| column.kind.as_deref().and_then(Kind::from_word));
            }
        }
    }
    Ok(copy)
}

fn is_key(table: &str, column: &str) -> MoveError {
    MoveError::Refused {
        code: "safe-harbor-key",
        message: format!("`{column}` names the rows of {table} and is itself an identifier of Safe Harbor"),
        help: "name the rows by a number that says nothing of a person (`key`), or leave the table out of the copy: \
               --table"
            .to_owned(),
    }
}

/// A column that is taken over as it is.
fn plain(name: &str, span: dunlin_plan::Span) -> ColumnPlan {
    ColumnPlan {
        target: name.to_owned(),
        value: ColumnValue::Sql(Sql { text: quote_identifier(name), span }),
        kind: None,
        protect: None,
        span,
    }
}

/// A table with what its source's first rows say of each column, and the columns of which they say nothing.
async fn seen(spec: &TableSpec, stores: &Stores) -> Result<(TableFacts, BTreeSet<String>)> {
    let mut facts = crate::packs::shape(&spec.plan, &spec.mapping.columns);
    let reader = stores.get(&spec.plan.from.store)?.reader().await?;
    let looks = dunlin_quality::look(reader.as_ref(), &spec.source).await?;
    let key: Vec<&str> = spec.key_names();
    let mut unseen = BTreeSet::new();
    for (column, mapped) in facts.columns.iter_mut().zip(&spec.mapping.columns) {
        column.key = column.key || key.contains(&column.name.as_str());
        let field = mapped.from.and_then(|at| spec.mapping.input_schema.fields().get(at));
        let at = field.and_then(|field| spec.source.index_of(field.name()));
        let source = at.map(|at| &spec.source.columns[at].ty);
        if !column.stated && is_unseen(mapped, source, &column.ty) {
            unseen.insert(column.name.clone());
        }
        let Some(at) = at else { continue };
        let look = &looks[at];
        if let Some(guess) = look.guess.as_ref().filter(|guess| guess.confidence >= SURE) {
            guessed(column, guess);
        }
        column.hits = look.hits.clone();
    }
    Ok((facts, unseen))
}

/// Whether nothing of a column can be looked at in its source: a type of the server's own (addresses of networks, arrays),
/// or a text or bytes made of several columns or fetched from another table. `source` is the type of the column that it
/// takes over, `ty` its own in the packs' words.
fn is_unseen(mapped: &Mapped, source: Option<&ColumnType>, ty: &str) -> bool {
    let opaque = |ty: &ColumnType| matches!(ty, ColumnType::Opaque { .. });
    if opaque(&mapped.clear_type) || source.is_some_and(opaque) {
        return true;
    }
    let made = match &mapped.value {
        Value::Later => false,
        // One that reads no column says what the plan says.
        Value::Expression(compiled) => source.is_none() && !compiled.columns.is_empty(),
        Value::Column(_) | Value::Clean { .. } => source.is_none(),
    };
    made && matches!(ty, "text" | "binary")
}

fn guessed(column: &mut ColumnFacts, guess: &dunlin_quality::KindGuess) {
    if !column.stated {
        column.kind = Some(guess.kind.clone());
    }
    if column.kind.as_ref() == Some(&guess.kind) {
        column.detail = guess.detail.map(str::to_owned);
    }
}
