//! What the plan and its stores say, for the packs. The sources are looked at by their first rows; no value leaves.

use std::collections::{BTreeMap, BTreeSet};

use dunlin_connect::Reach;
use dunlin_move::{Resolved, Stores, TableSpec};
use dunlin_plan::Plan;
use dunlin_quality::ColumnLook;
use dunlin_quality::packs::{Facts, Link, NoticeFacts, StatementFacts, StoreFacts, TableFacts};

use crate::failure::Failure;
use crate::workspace::PlanFile;

/// From this confidence on a guess speaks where the plan is silent.
const SURE: f64 = 0.7;

/// What is known before anything was done.
pub(super) async fn gather(plan: &PlanFile, stores: &Stores, resolved: &Resolved) -> Result<Facts, Failure> {
    let customers = dunlin_move::subject::tables_of_customers(&plan.plan, &resolved.specs);
    let mut tables = Vec::new();
    for table in &plan.plan.tables {
        let spec = resolved.specs.iter().find(|spec| spec.label == table.label());
        let mut facts = match spec {
            Some(spec) => {
                let mut facts = dunlin_move::shape(table, &spec.mapping.columns);
                looked(&mut facts, spec, stores).await.map_err(|e| plan.failure(e))?;
                facts.key = facts.key || !spec.key.is_empty();
                facts
            }
            None => dunlin_move::shape(table, &[]),
        };
        facts.subject = facts.subject || customers.contains(&facts.name);
        tables.push(facts);
    }
    let mut facts = of_plan(&plan.plan);
    facts.stores = plan.plan.stores.values().map(|store| of_store(plan, store)).collect();
    facts.tables = tables;
    Ok(facts)
}

fn of_plan(plan: &Plan) -> Facts {
    let comply = plan.comply.as_ref();
    let statement = |s: &dunlin_plan::Statement| StatementFacts {
        rule: s.rule.clone(),
        about: s.about.clone(),
        ground: s.ground.clone(),
        says: s.says.clone(),
        by: s.by.clone(),
        until: s.until.map(|day| day.to_string()),
    };
    let notice = |n: &dunlin_plan::Notice| NoticeFacts { file: n.file.clone(), ..NoticeFacts::default() };
    Facts {
        today: jiff::Zoned::now().date().to_string(),
        controller: comply.and_then(|c| c.controller.clone()),
        dpia: comply.and_then(|c| c.dpia.clone()),
        subject: plan.subject.is_some(),
        erase_source: plan.subject.as_ref().is_some_and(|s| s.erase_source),
        safe_harbor: comply.is_some_and(|c| c.safe_harbor),
        smallest_group: comply.and_then(|c| c.smallest_group).map(u64::from),
        freeze: comply.and_then(|c| c.freeze).map(|day| day.to_string()),
        evidence_years: comply.and_then(|c| c.evidence_years),
        otherwise: comply
            .iter()
            .flat_map(|c| &c.otherwise)
            .map(|(rule, word)| (rule.clone(), word.to_string()))
            .collect(),
        notices: plan.notices.iter().map(notice).collect(),
        statements: comply.iter().flat_map(|c| &c.statements).map(statement).collect(),
        ..Facts::default()
    }
}

fn of_store(plan: &PlanFile, store: &dunlin_plan::StorePlan) -> StoreFacts {
    let tables = &plan.plan.tables;
    let link = match dunlin_move::reach(store, &plan.dir) {
        Reach::Local => Link::Local,
        Reach::Verified => Link::Verified,
        Reach::Unverified => Link::Unverified,
        Reach::Clear => Link::Clear,
        Reach::Unknown => Link::Unknown,
    };
    let side = |t: &dunlin_plan::TablePlan| t.enrich.iter().any(|e| e.from.store == store.name);
    StoreFacts {
        name: store.name.clone(),
        source: tables.iter().any(|t| t.from.store == store.name || side(t)),
        target: tables.iter().any(|t| t.to.store == store.name),
        region: store.region.clone(),
        processor: store.processor.clone(),
        agreement: store.agreement.clone(),
        transfer: store.transfer.clone(),
        environment: store.environment.map(|word| word.to_string()),
        at_rest: store.at_rest.map(|word| word.to_string()),
        link,
    }
}

/// Looks at the first rows of a table's source: kinds where the plan states none, how full columns are, what texts hold.
async fn looked(
    facts: &mut TableFacts,
    spec: &TableSpec,
    stores: &Stores,
) -> Result<(), dunlin_move::MoveError> {
    let source = stores.get(&spec.plan.from.store)?;
    let reader = source.reader().await?;
    let looks = dunlin_quality::look(reader.as_ref(), &spec.source).await?;
    let by_name: BTreeMap<&str, &ColumnLook> =
        spec.source.columns.iter().map(|c| c.name.as_str()).zip(&looks).collect();
    let key: BTreeSet<&String> = spec.key.iter().map(|at| &spec.mapping.columns[*at].target).collect();
    for (column, mapped) in facts.columns.iter_mut().zip(&spec.mapping.columns) {
        column.key = column.key || key.contains(&column.name);
        let from = mapped.from.and_then(|at| spec.mapping.input_schema.fields().get(at));
        let Some(look) = from.and_then(|field| by_name.get(field.name().as_str())) else { continue };
        if let Some(guess) = look.guess.as_ref().filter(|guess| guess.confidence >= SURE) {
            // What the plan states goes before what the values look like.
            if !column.stated {
                column.kind = Some(guess.kind.clone());
            }
            if column.kind.as_ref() == Some(&guess.kind) {
                column.detail = guess.detail.map(str::to_owned);
            }
        }
        column.sampled = look.sampled;
        column.empty = look.empty;
        column.distinct = look.distinct;
        column.hits = look.hits.clone();
    }
    Ok(())
}
