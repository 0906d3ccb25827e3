//! The names and kinds of what quarantined rows hold, for showing them through the gate.

use std::path::Path;

use dunlin_plan::Plan;
use dunlin_store::Workspace;

use crate::finished::{Access, reopen};
use crate::{MoveError, Result};

/// Columns of a table's quarantined rows: name and kind.
#[derive(Debug, Clone, Default)]
pub struct QuarantinedColumns {
    /// Of rows in source or raw form.
    pub source: Vec<(String, Option<String>)>,
    /// Of rows in target form.
    pub target: Vec<(String, Option<String>)>,
}

/// The columns of a table's quarantined rows. A source column has the kind of the target column that is made of it.
///
/// # Errors
/// A run the state does not know, stores that cannot be opened.
pub async fn quarantined_columns(
    workspace: &Workspace,
    plan: &Plan,
    base: &Path,
    run: &str,
    label: &str,
) -> Result<QuarantinedColumns> {
    let record = workspace.state().run(run).await?;
    let resolved = reopen(workspace, plan, base, &record, Access::Read).await?.resolved;
    let spec = resolved.specs.iter().find(|s| s.label == label).ok_or_else(|| MoveError::Refused {
        code: "no-such-table",
        message: format!("the plan has no table `{label}` any more"),
        help: "show it with the plan it was run with".to_owned(),
    })?;
    let mapping = &spec.mapping;
    let kind = |m: &crate::Mapped| m.kind.map(|k| k.as_str().to_owned());
    let source = mapping.read_schema.fields().iter().enumerate().map(|(place, field)| {
        // Several target columns may be made of one; the most telling kind wins, and none is not shown in the clear.
        let reads = mapping.columns.iter().filter(|m| reads(m, place));
        (field.name().clone(), reads.filter_map(kind).next())
    });
    let target = mapping.columns.iter().map(|m| (m.target.clone(), kind(m)));
    Ok(QuarantinedColumns { source: source.collect(), target: target.collect() })
}

fn reads(mapped: &crate::Mapped, place: usize) -> bool {
    match &mapped.value {
        crate::Value::Column(index) | crate::Value::Clean { input: index, .. } => *index == place,
        crate::Value::Later => false,
        crate::Value::Expression(compiled) => compiled.columns.contains(&place),
    }
}
