//! `dunlin check`: the plan held against its stores, without moving anything.

use std::collections::BTreeMap;
use std::path::Path;

use dunlin_move::{Resolved, Stores, try_resolve};
use dunlin_plan::{Finding, Findings, Level};

use super::{NOT_RIGHT, OK};
use crate::cli::Format;
use crate::comply::Matrix;
use crate::failure::{Failure, any_error};
use crate::output;
use crate::workspace::{PlanFile, open};

/// Every finding of the plan, of the stores and of the packs, the tables as far as they resolve, and the packs' matrix.
/// What was done before is asked where dunlin has been at work here; nothing is made.
pub async fn findings(plan: &PlanFile) -> Result<(Vec<Finding>, Resolved, Matrix), Failure> {
    let mut items = plan.plan.findings.clone();
    items.extend(plan.plan.check_at(jiff::Zoned::now().date()));
    let stores = Stores::open(&plan.plan, &plan.dir).await.map_err(|e| plan.failure(e))?;
    let (resolved, found) = try_resolve(&plan.plan, &stores, dunlin_store::now_us(), &BTreeMap::new())
        .await
        .map_err(|e| plan.failure(e))?;
    items.extend(found);
    let remembered = plan.dir.join(".dunlin").join("state.db").exists();
    let workspace = match remembered {
        true => Some(open(&plan.dir).await?),
        false => None,
    };
    let matrix = crate::comply::matrix(workspace.as_ref(), plan, &stores, &resolved).await?;
    items.extend(crate::comply::findings(plan, &matrix));
    Ok((items, resolved, matrix))
}

/// Prints every finding, and how each rule of the packs ends; exit code 1 when a finding is an error.
pub async fn check(dir: &Path, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let (mut items, resolved, matrix) = findings(&plan).await?;
    let failed = any_error(&items);
    let of_packs = |f: &Finding| f.rule == "pack-violated";
    let fits = !items.iter().any(|f| f.level == Level::Error && !of_packs(f));
    let warnings = items.iter().filter(|f| f.level == Level::Warning).count();
    if format == Format::Text {
        // The matrix below says the same, with its evidence.
        items.retain(|f| !of_packs(f));
    }
    output::findings(&Findings::new(&plan.file, &plan.text, items), format);
    if format == Format::Json {
        matrix.rules.iter().for_each(output::json);
        return Ok(if failed { NOT_RIGHT } else { OK });
    }
    crate::comply::table(&matrix).iter().for_each(|line| output::line(line));
    if fits {
        let tables = resolved.specs.len();
        let columns: usize = resolved.specs.iter().map(|s| s.mapping.columns.len()).sum();
        output::line(&format!(
            "{} tables, {columns} columns: the plan fits its stores ({warnings} warnings)",
            tables
        ));
        output::line(&format!("fingerprint {}", plan.plan.fingerprint()));
    }
    Ok(if failed { NOT_RIGHT } else { OK })
}
