//! The mapper: `where`, `retain`, the plan's expressions, rules, protection, and the fit to the target.
//!
//! It never fails because of a row: a row it cannot map gets a fate and a reason, and travels on to be accounted for.
//! The first thing that ends a row is the one that is told.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_plan::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use dunlin_connect::{ColumnType, Reason};
use dunlin_plan::Protect;
use dunlin_quality::evaluate_rows;
use futures::StreamExt;

use super::Stage;
use crate::batch::{Lead, body, fate, lead, marker_of, with_lead};
use crate::check_rules::Rules;
use crate::customer::Customers;
use crate::fit::{Fitted, fit, normalise};
use crate::protect::Protector;
use crate::spec::{Mapped, Mapping, Value};

/// Maps the rows of one table.
pub struct MapStage {
    /// What to do, from the plan.
    pub mapping: Arc<Mapping>,
    /// The rules on the mapped row.
    pub rules: Arc<Rules>,
    /// The keyed transforms.
    pub protector: Arc<Protector>,
    /// Mapped columns that are handed on in the clear as well, behind the others: for who compares them.
    pub shown: Arc<[usize]>,
    /// What leads from the rows to their customers.
    pub customers: Arc<Customers>,
}

impl Stage for MapStage {
    fn name(&self) -> &'static str {
        "map"
    }

    fn schema(&self) -> SchemaRef {
        let mapping = &self.mapping;
        let mut fields: Vec<Field> =
            mapping.read_schema.fields().iter().map(|f| f.as_ref().clone()).collect();
        fields.extend(mapping.target_schema.fields().iter().map(|f| f.as_ref().clone()));
        for (at, place) in self.shown.iter().enumerate() {
            let ty = mapping.columns[*place].clear_type.arrow_type();
            fields.push(Field::new(format!("__shown{at}"), ty, true));
        }
        with_lead(&Schema::new(fields))
    }

    fn run(&self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = self.schema();
        let (mapping, rules, protector) = (self.mapping.clone(), self.rules.clone(), self.protector.clone());
        let (out, shown, customers) = (schema.clone(), self.shown.clone(), self.customers.clone());
        let stream = input.map(move |batch| {
            let (mapping, rules, protector) = (&*mapping, &*rules, &*protector);
            let mapper =
                Mapper { mapping, rules, protector, schema: &out, shown: &shown, customers: &customers };
            Ok(mapper.batch(&batch?))
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, stream))
    }

    fn expressions(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        self.mapping.expressions().chain(self.rules.expressions()).cloned().collect()
    }
}

impl MapStage {
    /// Maps one batch.
    pub fn apply(&self, batch: &RecordBatch) -> RecordBatch {
        let schema = self.schema();
        let (mapping, rules, protector) = (&*self.mapping, &*self.rules, &*self.protector);
        let (shown, customers) = (&self.shown, &self.customers);
        Mapper { mapping, rules, protector, schema: &schema, shown, customers }.batch(batch)
    }
}

struct Mapper<'a> {
    mapping: &'a Mapping,
    rules: &'a Rules,
    protector: &'a Protector,
    schema: &'a SchemaRef,
    shown: &'a [usize],
    customers: &'a Customers,
}

impl Mapper<'_> {
    fn batch(&self, batch: &RecordBatch) -> RecordBatch {
        let mut lead = Lead::of(batch);
        let reads = self.mapping.read_schema.fields().len();
        let input = body(batch, 0, self.mapping.input_schema.fields().len());
        let targets = if marker_of(batch).is_some() || !lead.any_alive() {
            self.nothing(batch.num_rows())
        } else {
            self.filter(&input, &mut lead);
            self.columns(&input, &mut lead)
        };
        let mut arrays = lead.arrays();
        arrays.extend(batch.columns()[lead::COUNT..lead::COUNT + reads].iter().cloned());
        arrays.extend(targets);
        #[expect(clippy::expect_used, reason = "each column has the type of the mapping's schema by `fit`")]
        RecordBatch::try_new(self.schema.clone(), arrays).expect("columns of the mapping")
    }

    fn nothing(&self, rows: usize) -> Vec<ArrayRef> {
        let fields = self.mapping.target_schema.fields().iter().map(|f| f.data_type().clone());
        let shown = self.shown.iter().map(|place| self.mapping.columns[*place].clear_type.arrow_type());
        fields.chain(shown).map(|ty| arrow::array::new_null_array(&ty, rows)).collect()
    }

    /// `where` and `retain`: what they leave out is excluded, what they fail on is quarantined.
    fn filter(&self, input: &RecordBatch, lead: &mut Lead) {
        if let Some(keep) = &self.mapping.keep {
            let result = evaluate_rows(keep, input);
            fail_rows(lead, &result.failed, Reason::ExpressionFailed, "where");
            let keep = result.array.as_boolean();
            for row in 0..input.num_rows() {
                if keep.is_null(row) || !keep.value(row) {
                    lead.end(row, fate::EXCLUDED, "where".to_owned(), None);
                }
            }
        }
        if let Some(retain) = &self.mapping.retain {
            let result = evaluate_rows(retain, input);
            fail_rows(lead, &result.failed, Reason::ExpressionFailed, "retain");
            let over = result.array.as_boolean();
            for row in 0..input.num_rows() {
                if over.is_valid(row) && over.value(row) {
                    lead.end(row, fate::EXCLUDED, "retain".to_owned(), None);
                }
            }
        }
    }

    /// The target columns: mapped, fitted, checked by the rules, protected, and fitted again where protection changed them.
    fn columns(&self, input: &RecordBatch, lead: &mut Lead) -> Vec<ArrayRef> {
        let mut clear: Vec<ArrayRef> = Vec::with_capacity(self.mapping.columns.len());
        for column in &self.mapping.columns {
            let (array, from) = self.value(column, input, lead);
            clear.push(self.fitted(column, &array, &from, &column.clear_type, lead));
        }
        self.rules.apply(&mut clear, lead);
        let subjects = self.subjects(&clear);
        let shown: Vec<ArrayRef> = self.shown.iter().map(|place| clear[*place].clone()).collect();
        for (i, column) in self.mapping.columns.iter().enumerate() {
            if let Some(protect) = column.protect {
                let hidden = self.protector.apply(protect, column, &clear[i], subjects.as_ref());
                clear[i] = self.fitted(column, &hidden, &ColumnType::TEXT, &column.load_type, lead);
            }
            if !column.nullable {
                for row in 0..clear[i].len() {
                    if clear[i].is_null(row) {
                        lead.end(
                            row,
                            fate::QUARANTINED,
                            Reason::NotNull.code().to_owned(),
                            Some(&column.target),
                        );
                    }
                }
            }
        }
        clear.extend(shown);
        clear
    }

    /// What names each row's customer, in the clear, where a column needs it to be moved by.
    fn subjects(&self, clear: &[ArrayRef]) -> Option<StringArray> {
        let moved = self.mapping.columns.iter().any(|c| c.protect == Some(Protect::Shift));
        let at = self.mapping.subject.filter(|_| moved)?;
        let texts = fit(&clear[at], &self.mapping.columns[at].clear_type, &ColumnType::TEXT).array;
        Some(self.customers.of(texts.as_string::<i32>().clone()))
    }

    fn value(&self, column: &Mapped, input: &RecordBatch, lead: &mut Lead) -> (ArrayRef, ColumnType) {
        match &column.value {
            Value::Later => {
                let nulls = arrow::array::new_null_array(&column.natural.arrow_type(), input.num_rows());
                (nulls, column.natural.clone())
            }
            Value::Column(index) => (input.column(*index).clone(), self.mapping.input_types[*index].clone()),
            Value::Expression(compiled) => {
                let result = evaluate_rows(compiled, input);
                fail_rows(lead, &result.failed, Reason::ExpressionFailed, &column.target);
                let Fitted { array, problems } = normalise(&result.array);
                mark(lead, &problems, &column.target);
                (array, column.natural.clone())
            }
            Value::Clean { function, input: index, options } => {
                let ty = &self.mapping.input_types[*index];
                let text = fit(input.column(*index), ty, &ColumnType::TEXT).array;
                let cleaned = dunlin_quality::clean(*function, text.as_string::<i32>(), options);
                fail_rows(lead, &cleaned.failed, Reason::WrongType, &column.target);
                (cleaned.array, column.natural.clone())
            }
        }
    }

    fn fitted(
        &self,
        column: &Mapped,
        array: &ArrayRef,
        from: &ColumnType,
        to: &ColumnType,
        lead: &mut Lead,
    ) -> ArrayRef {
        let Fitted { array, problems } = fit(array, from, to);
        mark(lead, &problems, &column.target);
        array
    }
}

fn fail_rows(lead: &mut Lead, rows: &[usize], reason: Reason, column: &str) {
    for row in rows {
        lead.end(*row, fate::QUARANTINED, reason.code().to_owned(), Some(column));
    }
}

fn mark(lead: &mut Lead, problems: &[(usize, Reason)], column: &str) {
    for (row, reason) in problems {
        lead.end(*row, fate::QUARANTINED, reason.code().to_owned(), Some(column));
    }
}
