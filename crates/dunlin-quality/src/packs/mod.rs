//! The regulations as rules. A pack is a file of data ([`Pack`]): what each rule asks, which check answers it, how to
//! mend it, and an example of either end. [`evaluate`] holds what is known of a move ([`Facts`]) against packs and says
//! how each rule ends; [`row_rules`] says what is asked of each row while it moves.
//!
//! What this is not: legal advice, and a store of facts. Whoever calls it gathers them. No verdict carries a value of a
//! customer: counts, columns and numbers of ledger entries only.

mod card;
mod check;
mod facts;
mod form;
mod lists;
mod pack;
mod rows;
mod safe_harbor;
mod select;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::LazyLock;

pub use facts::{
    Approved, ColumnFacts, Facts, GroupFacts, Incident, Link, NoticeFacts, Past, RunFacts, StatementFacts,
    StoreFacts, Survivors, TableFacts, TableRun, TotalsRun,
};
pub use form::FormColumn;
pub use lists::small_zip3;
pub use pack::{
    Cell, Check, Concerns, Example, Level as PackLevel, Pack, Part, RowCheck, RowRule, Rule as PackRule,
    Selector,
};
pub use rows::{NativeCheck, RowCondition, RowTable, TableRule, row_rules};
pub use safe_harbor::{identifier_rules, way_out};
pub use verdict::{Ask, State, Verdict, WaivedBy};

/// The packs' files.
const FILES: [(&str, &str); 4] = [
    ("gdpr", include_str!("../../../../packs/gdpr.toml")),
    ("hipaa", include_str!("../../../../packs/hipaa.toml")),
    ("sox", include_str!("../../../../packs/sox.toml")),
    ("pci", include_str!("../../../../packs/pci.toml")),
];

/// A pack's file cannot be read. It is part of the program, so this is a defect of the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pack `{pack}` of this program cannot be read: {why}")]
pub struct PackError {
    /// The pack.
    pub pack: String,
    /// What the reader says; a pack holds no data of customers.
    pub why: String,
}

static PACKS: LazyLock<Vec<Result<Pack, PackError>>> = LazyLock::new(|| {
    let read = |(name, text): &(&str, &str)| {
        toml_edit::de::from_str::<Pack>(text)
            .map_err(|e| PackError { pack: (*name).to_owned(), why: e.to_string() })
    };
    FILES.iter().map(read).collect()
});

/// The pack of this name.
///
/// # Errors
/// [`PackError`] where there is none, or where its file cannot be read.
pub fn pack(name: &str) -> Result<&'static Pack, PackError> {
    let at = FILES.iter().position(|(file, _)| *file == name);
    match at.and_then(|at| PACKS.get(at)) {
        Some(Ok(pack)) => Ok(pack),
        Some(Err(error)) => Err(error.clone()),
        None => Err(PackError { pack: name.to_owned(), why: "there is no such pack".to_owned() }),
    }
}

/// Holds what is known against packs: every rule of each, in the order of their files.
///
/// # Errors
/// [`PackError`], as [`pack`].
pub fn evaluate(packs: &[&str], facts: &Facts) -> Result<Vec<Verdict>, PackError> {
    let mut all = Vec::new();
    for name in packs {
        let pack = self::pack(name)?;
        all.extend(pack.rules.iter().map(|rule| check::outcome(rule, facts).verdict(&pack.pack, rule)));
    }
    Ok(all)
}

/// The lists with a date that the rules use: what each is, as of when, and where it stands.
pub fn dated_lists() -> Vec<(&'static str, &'static str, &'static str)> {
    lists::all()
}
