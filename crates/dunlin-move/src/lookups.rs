//! What a table's rows are enriched with while they are loaded, read before they are.

use std::sync::Arc;

use dunlin_connect::Reader;
use dunlin_plan::When;

use crate::Result;
use crate::customer::Customers;
use crate::duplicates::TableMerges;
use crate::error::rows;
use crate::exec::enrich::{Lookup, MEMORY_MAX_BYTES};
use crate::pipeline::Pipeline;
use crate::run::{Event, Run};
use crate::spec::TableSpec;

impl Run<'_> {
    /// The pipeline of a table, with what its enrichments look up.
    pub(crate) async fn pipeline(&self, spec: &Arc<TableSpec>, reader: &Arc<dyn Reader>) -> Result<Pipeline> {
        let mut lookups = Vec::new();
        for enrich in spec.plan.enrich.iter().filter(|e| e.when == When::During) {
            self.observer.event(Event::Step { table: Some(&spec.label), step: "read what enriches it" });
            let store = self.stores.get(&enrich.from.store)?;
            let Some(side) = crate::find_table(store.as_ref(), &enrich.from).await? else { continue };
            let place = |name: &str| side.index_of(name);
            let add: Vec<usize> = enrich.add.iter().filter_map(|(_, column)| place(column)).collect();
            let (Some(key), Ok(on)) = (place(&enrich.on.1), spec.mapping.read_schema.index_of(&enrich.on.0))
            else {
                continue;
            };
            let scratch = self.workspace.state_dir.join("tmp");
            let reader = store.reader().await?;
            let side = Arc::new(side);
            let lookup =
                Lookup::read(reader.as_ref(), side, key, &add, on, &scratch, MEMORY_MAX_BYTES).await?;
            if lookup.skipped > 0 {
                let enrich_nothing = if lookup.skipped == 1 { "enriches nothing" } else { "enrich nothing" };
                let message = format!(
                    "{} of `{}` cannot be read and {enrich_nothing}",
                    rows(lookup.skipped),
                    enrich.from
                );
                self.observer.event(Event::Warning { table: &spec.label, message: &message });
            }
            lookups.push(Arc::new(lookup));
        }
        let scratch = self.workspace.state_dir.join("tmp");
        let customers = Customers::read(self.source(spec)?.as_ref(), &spec.mapping.hops, &scratch).await?;
        Ok(Pipeline {
            spec: spec.clone(),
            reader: reader.clone(),
            key: self.key,
            protector: self.protector.clone(),
            lookups,
            subjects: self.subjects.clone(),
            merges: TableMerges::of(self, spec).map(Arc::new),
            shown: Arc::default(),
            customers: Arc::new(customers),
        })
    }
}
