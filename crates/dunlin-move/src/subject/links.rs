//! Which rows are a customer's: the subject's table, and the tables that reach it by foreign key or by their `subject`.
//!
//! A row is known by values that lead to the customer: the subject's id, or the key of a row that is the customer's
//! already (an item of an order belongs to whom the order belongs to). What such values name is a *domain*, for example
//! `atlas.people(person_id)`. Not here: the hashes by which domains and values are remembered ([`super::marks`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_connect::{ColumnType, ForeignKey};
use dunlin_plan::{Basis, Class, OnErasure, Plan};

use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// Values of one row that name something of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// What they name.
    pub(crate) domain: String,
    /// Their positions among the mapped columns.
    pub(crate) columns: Vec<usize>,
    /// The same among the source columns that are read, where each is taken over from one.
    pub(crate) source: Option<Vec<usize>>,
}

/// How one table hangs on the customer.
#[derive(Debug)]
pub(crate) struct TableLinks {
    /// A row is the customer's where any of these leads to the customer.
    pub(crate) belongs: Vec<Link>,
    /// What other tables name this one's rows by.
    pub(crate) offers: Vec<Link>,
    /// What an erasure does with the rows in the target.
    pub(crate) on_erasure: OnErasure,
    /// The mapped columns that an anonymised row is emptied in, each with what stands there instead.
    pub(crate) blank: Vec<(usize, Option<&'static str>)>,
    /// Why the rows move, as the plan says.
    pub(crate) purpose: Option<String>,
    /// On which basis.
    pub(crate) basis: Option<Basis>,
}

/// How every table of a plan hangs on the customer.
#[derive(Debug)]
pub(crate) struct Links {
    /// The subject's table.
    pub(crate) root: String,
    /// The subject's id.
    pub(crate) id: Link,
    /// The subject's e-mail column among the mapped ones.
    pub(crate) email: Option<usize>,
    /// Its language column, likewise.
    pub(crate) locale: Option<usize>,
    /// The tables with a customer's rows, by label.
    pub(crate) tables: BTreeMap<String, TableLinks>,
    /// Whether some table comes before one that it refers to.
    pub(crate) cyclic: bool,
}

impl Links {
    /// The links of a plan; `None` where it does not say who a customer is, or does not move that table.
    pub(crate) fn of(plan: &Plan, specs: &[Arc<TableSpec>]) -> Option<Links> {
        let subject = plan.subject.as_ref()?;
        let root = specs.iter().find(|s| s.plan.to == subject.table)?;
        let place = |spec: &TableSpec, name: &str| spec.mapping.columns.iter().position(|m| m.target == name);
        let id = link(root, vec![place(root, &subject.id)?], domain(root, std::slice::from_ref(&subject.id)));
        let email = subject.email.as_ref().and_then(|name| place(root, name));
        let locale = subject.locale.as_ref().and_then(|name| place(root, name));
        let mut found: BTreeMap<String, (Vec<Link>, Vec<Link>)> = BTreeMap::new();
        found.insert(root.label.clone(), (vec![id.clone()], vec![id.clone()]));
        // Tables reach the customer over tables that do: until no more are found.
        loop {
            let before = (found.len(), found.values().map(|(b, o)| b.len() + o.len()).sum::<usize>());
            for spec in specs.iter().filter(|s| s.label != root.label) {
                for (parent, link, offer) in reaches(spec, specs, root, &id, &found) {
                    let entry = found.entry(spec.label.clone()).or_default();
                    if !entry.0.contains(&link) {
                        entry.0.push(link);
                    }
                    if let Some((_, offers)) = found.get_mut(&parent)
                        && !offers.contains(&offer)
                    {
                        offers.push(offer);
                    }
                }
            }
            if before == (found.len(), found.values().map(|(b, o)| b.len() + o.len()).sum::<usize>()) {
                break;
            }
        }
        let order = |label: &str| specs.iter().position(|s| s.label == label);
        let cyclic = found.iter().any(|(label, (belongs, _))| {
            belongs.iter().any(|l| {
                let parent =
                    found.iter().find(|(_, (_, offers))| offers.iter().any(|o| o.domain == l.domain));
                parent.is_some_and(|(p, _)| p != label && order(p) > order(label))
            })
        });
        let tables = found.into_iter().filter_map(|(label, (belongs, offers))| {
            let spec = specs.iter().find(|s| s.label == label)?;
            let blank = blanks(spec, &belongs, &offers, label == root.label);
            let (purpose, basis) = (spec.plan.purpose.clone(), spec.plan.basis);
            let on_erasure = spec.plan.on_erasure;
            Some((label, TableLinks { belongs, offers, on_erasure, blank, purpose, basis }))
        });
        Some(Links { root: root.label.clone(), id, email, locale, tables: tables.collect(), cyclic })
    }

    /// Refuses a plan by which an erasure could not be carried out as it says.
    pub(crate) fn check(&self, specs: &[Arc<TableSpec>]) -> Result<()> {
        for spec in specs {
            let Some(links) = self.tables.get(&spec.label) else { continue };
            if links.on_erasure != OnErasure::Anonymise {
                continue;
            }
            for (place, instead) in &links.blank {
                let column = &spec.mapping.columns[*place];
                let led = links.belongs.iter().find(|l| l.columns.contains(place) && spec.label != self.root);
                if let Some(link) = led.filter(|_| !column.nullable)
                    && self.deleted(&link.domain)
                {
                    return Err(MoveError::Refused {
                        code: "anonymise-link",
                        message: format!(
                            "{} keeps its rows when a customer is erased, and its column `{}`, which takes no NULL, leads to rows that are deleted",
                            spec.label, column.target
                        ),
                        help: "let the column take NULL, or set `on_erasure = \"anonymise\"` for the table it leads to as well".to_owned(),
                    });
                }
                if !column.nullable && instead.is_none() && led.is_none() {
                    return Err(MoveError::Refused {
                        code: "anonymise-type",
                        message: format!(
                            "{} keeps its rows when a customer is erased, and its column `{}` takes neither NULL nor an empty value",
                            spec.label, column.target
                        ),
                        help: "let the column take NULL, or delete the rows (`on_erasure = \"delete\"`)"
                            .to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether rows that this domain names are deleted by an erasure.
    fn deleted(&self, domain: &str) -> bool {
        let offers = |t: &&TableLinks| t.offers.iter().any(|o| o.domain == domain);
        self.tables.values().find(offers).is_none_or(|t| t.on_erasure == OnErasure::Delete)
    }
}

fn domain(spec: &TableSpec, columns: &[String]) -> String {
    format!("{}({})", spec.label, columns.join(","))
}

/// A link with the source columns behind it.
fn link(spec: &TableSpec, columns: Vec<usize>, domain: String) -> Link {
    let reads = spec.read.len();
    let source = columns.iter().map(|c| spec.mapping.columns[*c].from.filter(|f| *f < reads)).collect();
    Link { domain, columns, source }
}

/// How a table reaches the customer: the parent, its own columns, and what the parent offers by the same domain.
fn reaches(
    spec: &TableSpec,
    specs: &[Arc<TableSpec>],
    root: &TableSpec,
    id: &Link,
    found: &BTreeMap<String, (Vec<Link>, Vec<Link>)>,
) -> Vec<(String, Link, Link)> {
    if let Some(name) = &spec.plan.subject {
        // A target column, or the source column that one takes over.
        let read = spec.mapping.read_schema.index_of(name).ok();
        let columns = &spec.mapping.columns;
        let place = columns.iter().position(|m| m.target == *name);
        let place = place.or_else(|| columns.iter().position(|m| read.is_some() && m.from == read));
        let link = place.map(|place| link(spec, vec![place], id.domain.clone()));
        return link.map(|link| (root.label.clone(), link, id.clone())).into_iter().collect();
    }
    let keys = spec.target.foreign_keys.iter();
    keys.filter_map(|key| {
        let parent = parent_of(spec, specs, key)?;
        if parent.label == spec.label || !found.contains_key(&parent.label) {
            return None;
        }
        let places = |spec: &TableSpec, names: &[String]| -> Option<Vec<usize>> {
            let place = |n: &String| spec.mapping.columns.iter().position(|m| m.target == *n);
            names.iter().map(place).collect()
        };
        let name = domain(parent, &key.parent_columns);
        let mine = link(spec, places(spec, &key.columns)?, name.clone());
        let theirs = link(parent, places(parent, &key.parent_columns)?, name);
        Some((parent.label.clone(), mine, theirs))
    })
    .collect()
}

fn parent_of<'a>(
    spec: &TableSpec,
    specs: &'a [Arc<TableSpec>],
    key: &ForeignKey,
) -> Option<&'a Arc<TableSpec>> {
    specs.iter().find(|p| {
        p.plan.to.store == spec.plan.to.store
            && p.target.name.name == key.parent.name
            && match (&key.parent.schema, &p.target.name.schema) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            }
    })
}

/// What is emptied in a row that stays: columns of personal kinds, and what leads to the customer. The id of the
/// subject's own row stays, or nothing could refer to it; so does what other rows refer to.
fn blanks(
    spec: &TableSpec,
    belongs: &[Link],
    offers: &[Link],
    root: bool,
) -> Vec<(usize, Option<&'static str>)> {
    let mut out = Vec::new();
    for (place, column) in spec.mapping.columns.iter().enumerate() {
        let kept = spec.key.contains(&place) || offers.iter().any(|o| o.columns.contains(&place));
        let personal = column.kind.is_some_and(|k| k.class() >= Class::Personal);
        let leads = !root && belongs.iter().any(|l| l.columns.contains(&place));
        if !kept && (personal || (leads && column.nullable)) {
            let instead = if column.nullable { None } else { neutral(&column.load_type) };
            out.push((place, instead));
        }
    }
    out
}

/// What stands in a column that takes no NULL once the value is gone.
fn neutral(ty: &ColumnType) -> Option<&'static str> {
    Some(match ty {
        ColumnType::Bool => "false",
        ColumnType::Int16
        | ColumnType::Int32
        | ColumnType::Int64
        | ColumnType::Decimal { .. }
        | ColumnType::Numeric
        | ColumnType::Float32
        | ColumnType::Float64 => "0",
        ColumnType::Text { .. } | ColumnType::Char { .. } => "",
        ColumnType::Date => "1970-01-01",
        ColumnType::Time => "00:00:00",
        ColumnType::Timestamp => "1970-01-01 00:00:00",
        ColumnType::TimestampTz => "1970-01-01 00:00:00+00:00",
        ColumnType::Uuid => "00000000-0000-0000-0000-000000000000",
        ColumnType::Json | ColumnType::Jsonb => "{}",
        ColumnType::Binary | ColumnType::Opaque { .. } => return None,
    })
}
