//! The hashes by which a customer's rows are known again, and what becomes of rows that are known.
//!
//! A mark is a keyed hash of a domain and the values that name something in it, under the workspace's tombstone key:
//! without that key nobody can try values against it. Marks outlive a rotation of the key by the key's id. Not here:
//! the walk that finds rows ([`super::sweep`]), nor what is done to them.

use std::collections::HashMap;

use dunlin_plan::{Basis, OnErasure};
use dunlin_store::{Effect, Key, Keyring, Mark, Purpose, now_us};

use super::links::TableLinks;
use crate::Result;

/// Whether values are as the target holds them, or as the source does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Target,
    Source,
}

/// What is known of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) effect: Effect,
    pub(crate) purpose: String,
    pub(crate) request: String,
    pub(crate) at: i64,
}

/// Marks in memory.
pub(crate) struct Book {
    /// Every key that a mark was made under; the current one last.
    keys: Vec<(String, Key)>,
    marks: HashMap<[u8; 32], Vec<Known>>,
}

fn mac(key: &Key, domain: &str, form: Form, values: &[&str]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&[match form {
        Form::Target => 0,
        Form::Source => 1,
    }]);
    for part in std::iter::once(&domain).chain(values) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

impl Book {
    /// A book of these marks.
    pub(crate) fn new(keyring: &Keyring, marks: &[Mark]) -> Result<Book> {
        let current = keyring.key_id(Purpose::Tombstone)?;
        let mut keys: Vec<(String, Key)> = Vec::new();
        for mark in marks {
            if mark.key_id != current && !keys.iter().any(|(id, _)| *id == mark.key_id) {
                keys.push((mark.key_id.clone(), keyring.key_by_id(Purpose::Tombstone, &mark.key_id)?));
            }
        }
        let key = keyring.key_by_id(Purpose::Tombstone, &current)?;
        keys.push((current, key));
        let mut book = Book { keys, marks: HashMap::new() };
        for mark in marks {
            book.add(mark);
        }
        Ok(book)
    }

    /// Adds a mark; whether it says anything new.
    pub(crate) fn add(&mut self, mark: &Mark) -> bool {
        let mut bytes = [0u8; 32];
        if hex::decode_to_slice(&mark.mac, &mut bytes).is_err() {
            return false;
        }
        let (effect, purpose, request) = (mark.effect, mark.purpose.clone(), mark.request.clone());
        let known = Known { effect, purpose, request, at: mark.at };
        let all = self.marks.entry(bytes).or_default();
        let new = !all.iter().any(|k| k.effect == known.effect && k.request == known.request);
        if new {
            all.push(known);
        }
        new
    }

    /// Whether a mark says nothing new.
    pub(crate) fn knows(&self, mark: &Mark) -> bool {
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(&mark.mac, &mut bytes).is_ok()
            && self.marks.get(&bytes).is_some_and(|all| {
                all.iter().any(|known| known.effect == mark.effect && known.request == mark.request)
            })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// What is known of whom these values name. Nothing leads to anybody by NULL.
    pub(crate) fn find(&self, domain: &str, form: Form, values: &[Option<&str>]) -> Vec<Known> {
        let Some(values) = values.iter().copied().collect::<Option<Vec<&str>>>() else { return Vec::new() };
        let hits = self.keys.iter().filter_map(|(_, key)| self.marks.get(&mac(key, domain, form, &values)));
        hits.flatten().cloned().collect()
    }

    /// The mark, under the current key, of what these values name, for each thing known of a row that has them.
    pub(crate) fn derive(
        &self,
        domain: &str,
        form: Form,
        values: &[Option<&str>],
        known: &[Known],
    ) -> Vec<Mark> {
        let Some(values) = values.iter().copied().collect::<Option<Vec<&str>>>() else { return Vec::new() };
        let Some((key_id, key)) = self.keys.last() else { return Vec::new() };
        let mac = hex::encode(mac(key, domain, form, &values));
        let (key_id, domain, at) = (key_id.clone(), domain.to_owned(), now_us());
        let mark = |known: &Known| Mark {
            mac: mac.clone(),
            key_id: key_id.clone(),
            domain: domain.clone(),
            effect: known.effect,
            purpose: known.purpose.clone(),
            request: known.request.clone(),
            at,
        };
        known.iter().map(mark).collect()
    }
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing.
    Stays,
    /// It is not moved, or leaves.
    Erased,
    /// It stays without what is personal in it.
    Anonymised,
    /// It does not move, for this reason.
    Excluded(&'static str),
    /// It has the corrections of these requests, in this order.
    Corrected(Vec<String>),
}

/// What becomes of a row of a table by all that is known of it: the weightiest counts.
pub(crate) fn outcome(known: &[Known], table: &TableLinks) -> Outcome {
    if known.iter().any(|k| k.effect == Effect::Erased) {
        return match table.on_erasure {
            OnErasure::Delete => Outcome::Erased,
            OnErasure::Anonymise => Outcome::Anonymised,
        };
    }
    if known.iter().any(|k| k.effect == Effect::Restricted) {
        return Outcome::Excluded("restriction");
    }
    if known.iter().any(|k| k.effect == Effect::Objection && objects(k, table)) {
        return Outcome::Excluded("objection");
    }
    if known.iter().any(|k| k.effect == Effect::ConsentWithdrawn && unconsented(k, table)) {
        return Outcome::Excluded("consent-withdrawn");
    }
    let mut corrections: Vec<&Known> = known.iter().filter(|k| k.effect == Effect::Correction).collect();
    if corrections.is_empty() {
        return Outcome::Stays;
    }
    corrections.sort_by_key(|k| (k.at, k.request.clone()));
    let mut requests: Vec<String> = Vec::new();
    for known in corrections {
        if !requests.contains(&known.request) {
            requests.push(known.request.clone());
        }
    }
    Outcome::Corrected(requests)
}

/// An objection (GDPR Art. 21) reaches what rests on legitimate interests or a public task, and what rests on nothing the
/// plan names; one for a purpose reaches that purpose.
fn objects(known: &Known, table: &TableLinks) -> bool {
    if !known.purpose.is_empty() {
        return table.purpose.as_deref() == Some(&known.purpose);
    }
    matches!(table.basis, None | Some(Basis::LegitimateInterests | Basis::PublicTask))
}

/// Consent that is taken back reaches what rests on consent.
fn unconsented(known: &Known, table: &TableLinks) -> bool {
    table.basis == Some(Basis::Consent)
        && (known.purpose.is_empty() || table.purpose.as_deref() == Some(&known.purpose))
}
