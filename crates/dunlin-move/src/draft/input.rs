//! What is read of the source: the columns that are used, and in which form.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use dunlin_connect::{ColumnType, ReadColumn, Table};

use super::{Draft, DraftValue, Drafting};

/// The narrowed input.
pub(super) struct Input {
    pub(super) read: Vec<ReadColumn>,
    pub(super) read_schema: SchemaRef,
    pub(super) schema: SchemaRef,
    pub(super) types: Vec<ColumnType>,
    /// From a position in the full schema to one in the input.
    pub(super) place: Vec<Option<usize>>,
}

impl Drafting<'_> {
    pub(super) fn input(&self, used: &BTreeSet<usize>, drafts: &[Draft<'_>], target: &Table) -> Input {
        let width = self.given.source.columns.len();
        let untouched: BTreeSet<usize> = self.untouched(drafts, target);
        let mut input = Input {
            read: Vec::new(),
            read_schema: Arc::new(Schema::empty()),
            schema: Arc::new(Schema::empty()),
            types: Vec::new(),
            place: vec![None; self.types.len()],
        };
        let mut fields = Vec::new();
        let mut wanted: Vec<usize> = used.iter().copied().filter(|i| *i < width).collect();
        // Rows of constants have to be counted by something; a table without columns to move is counted as it is.
        if wanted.is_empty() && width > 0 && !drafts.is_empty() {
            wanted.push(0);
        }
        for index in wanted {
            let column = &self.given.source.columns[index];
            let opaque = matches!(column.ty, ColumnType::Opaque { .. });
            let as_text = opaque && !untouched.contains(&index);
            input.place[index] = Some(input.read.len());
            input.read.push(ReadColumn { index, as_text });
            let ty = if as_text { ColumnType::TEXT } else { column.ty.clone() };
            fields.push(Field::new(&column.name, ty.arrow_type(), true));
            input.types.push(ty);
        }
        input.read_schema = Schema::new(fields.clone()).into();
        for (i, (name, ty)) in self.given.added.iter().enumerate() {
            input.place[width + i] = Some(fields.len());
            fields.push(Field::new(name, ty.arrow_type(), true));
            input.types.push(ty.clone());
        }
        input.schema = Schema::new(fields).into();
        input
    }

    /// Columns of the store's own types that go over byte by byte: mapped plainly and nowhere else, to the same type.
    pub(super) fn untouched(&self, drafts: &[Draft<'_>], target: &Table) -> BTreeSet<usize> {
        let mut plain = BTreeSet::new();
        let mut touched = BTreeSet::new();
        for draft in drafts {
            let protected = draft.plan.is_some_and(|p| p.protect.is_some());
            match &draft.value {
                DraftValue::Column(index) if !protected => {
                    let same = self.given.source.columns.get(*index).map(|c| &c.ty)
                        == target.column(&draft.name).map(|c| &c.ty);
                    if same && self.given.same_system {
                        plain.insert(*index)
                    } else {
                        touched.insert(*index)
                    };
                }
                DraftValue::Column(index) | DraftValue::Clean(_, index, _) => {
                    touched.insert(*index);
                }
                DraftValue::Later => {}
                DraftValue::Sql(_) => touched.extend(self.used(std::slice::from_ref(draft), [&None, &None])),
            }
        }
        &plain - &touched
    }
}
