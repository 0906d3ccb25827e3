//! Whether an identifier survived in a de-identified copy: every table of the copy is read again, every column, notes
//! included. Texts are held against the detectors, and, word by word, against the names and numbers of the sources, so that
//! a name that no list has is found as well. A date that is not the first of its year is one too.
//!
//! What is counted are cells by the rule of the pack under which they fall; no value leaves. Values that were made up are
//! passed over: they look like what they stand for and are nobody's.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use dunlin_connect::{Bounds, ColumnType, ReadRequest, Reader, Table, array_to_text};
use dunlin_plan::Protect;
use dunlin_quality::packs::identifier_rules;
use dunlin_quality::spans;
use dunlin_store::Body;
use futures::StreamExt;

use crate::Result;
use crate::groups::{Grouping, RowGroups};
use crate::run::Run;
use crate::spec::TableSpec;

/// From this confidence on a part of a text counts as found.
const FOUND: f64 = 0.7;
/// So many identifiers of the sources are remembered, eight bytes each; beyond, the detectors are alone.
const KNOWN_MAX: usize = 8_000_000;
/// Shorter ones are found everywhere by accident.
const KNOWN_LETTERS: usize = 6;
/// The longest name, in words, and the most groups in which a number is written.
const WORDS_MAX: usize = 8;
/// No number is longer: an IBAN.
const JOINED_MAX: usize = 34;
/// Fewer digits and letters in several groups meet by accident.
const JOINED_MIN: usize = 8;
/// Ages above are identifiers.
const AGE_MAX: u32 = 89;

/// What was found in a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Examined {
    /// Values that were looked at.
    pub values: u64,
    /// Cells with an identifier, by the rule of the pack.
    pub found: BTreeMap<String, u64>,
    /// Where: columns as `store.table.column`.
    pub places: BTreeSet<String>,
    /// Of each table with columns that still tell people apart: how many rows look alike.
    pub groups: Vec<RowGroups>,
}

/// Reads the copy of a run again and enters what was found.
///
/// # Errors
/// Those of the stores and of the state.
pub(crate) async fn examine(run: &Run<'_>, id: &str) -> Result<Examined> {
    let mut known = Known::new(run.key);
    for spec in &run.resolved.specs {
        known.learn(run, spec).await?;
    }
    let mut examined = Examined::default();
    for spec in &run.resolved.specs {
        look(run, spec, &known, &mut examined).await?;
    }
    let found = examined.found.iter().map(|(rule, n)| (rule.to_lowercase(), *n)).collect();
    let body = Body::CopyExamined { run: id.to_owned(), values: examined.values, found };
    let mut tx = run.workspace.state().begin().await?;
    tx.enter(run.entry(body)).await?;
    for groups in &examined.groups {
        tx.enter(run.entry(groups.entry(id))).await?;
    }
    tx.commit().await?;
    Ok(examined)
}

/// The identifiers of the sources, as keyed hashes of their folded texts, with the kind that each is of.
struct Known {
    key: [u8; 32],
    hashes: HashSet<u64>,
    /// The words of the longest.
    words: usize,
}

impl Known {
    fn new(key: [u8; 32]) -> Self {
        Self { key, hashes: HashSet::new(), words: 1 }
    }

    /// Remembers one value; a number also without what stands between its groups.
    fn add(&mut self, kind: &'static str, text: &str) {
        let text = folded(text);
        if text.len() < KNOWN_LETTERS || self.hashes.len() >= KNOWN_MAX {
            return;
        }
        self.words = self.words.max(text.split(' ').count().min(WORDS_MAX));
        if is_number(kind) {
            let joined = text.replace(' ', "");
            self.hashes.insert(self.hash(kind, &joined));
        }
        self.hashes.insert(self.hash(kind, &text));
    }

    /// Remembers the full names of a row, either part first.
    fn add_names(&mut self, given: &str, family: &str) {
        self.add("person_name", &format!("{given} {family}"));
        self.add("person_name", &format!("{family} {given}"));
    }

    fn hash(&self, kind: &str, text: &str) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(kind.as_bytes()).update(&[0]).update(text.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(bytes)
    }

    /// Remembers what a table's source holds in the columns that do not go into the copy as they are.
    async fn learn(&mut self, run: &Run<'_>, spec: &TableSpec) -> Result<()> {
        let hidden = spec.mapping.columns.iter().filter(|column| {
            matches!(column.protect, Some(Protect::Fake | Protect::Remove)) && is_name_or_number(column.kind)
        });
        let columns: Vec<(usize, &'static str)> = hidden
            .filter_map(|column| {
                let field = spec.mapping.input_schema.fields().get(column.from?)?;
                Some((spec.source.index_of(field.name())?, column.kind?.as_str()))
            })
            .collect();
        if columns.is_empty() {
            return Ok(());
        }
        let of = |wanted: &str| -> Vec<usize> {
            columns.iter().filter(|(_, kind)| *kind == wanted).map(|(at, _)| *at).collect()
        };
        let (given, family) = (of("given_name"), of("family_name"));
        let reader = run.source(spec)?.reader().await?;
        each_batch(reader.as_ref(), &spec.source, |batch| {
            for (at, kind) in &columns {
                batch[*at].iter().flatten().for_each(|text| self.add(kind, text));
            }
            for (given, family) in given.iter().flat_map(|g| family.iter().map(move |f| (*g, *f))) {
                for names in batch[given].iter().zip(&batch[family]) {
                    if let (Some(given), Some(family)) = names {
                        self.add_names(given, family);
                    }
                }
            }
        })
        .await
    }

    /// The kinds of identifiers of the sources that stand in a text, whole or as words in a row.
    fn kinds_in(&self, text: &str) -> BTreeSet<&'static str> {
        const KINDS: [&str; 16] = [
            "person_name",
            "family_name",
            "given_name",
            "email",
            "phone",
            "us_ssn",
            "national_id",
            "tax_id",
            "passport",
            "driving_licence",
            "card_number",
            "iban",
            "account_number",
            "device_id",
            "health_code",
            "postal_address",
        ];
        let mut found = BTreeSet::new();
        if self.hashes.is_empty() {
            return found;
        }
        let whole = folded(text);
        let words: Vec<&str> = whole.split(' ').collect();
        let most = self.words.min(words.len());
        let windows = (1..=most).flat_map(|n| words.windows(n).map(|w| w.join(" ")));
        for part in windows.chain([whole.clone()]).filter(|part| part.len() >= KNOWN_LETTERS) {
            // One word alone names nobody: `Rose`, `Field`.
            let alone = !part.contains(' ') && part.chars().all(char::is_alphabetic);
            for kind in KINDS.iter().filter(|kind| !(alone && kind.ends_with("_name"))) {
                if self.hashes.contains(&self.hash(kind, &part)) {
                    found.insert(*kind);
                }
            }
        }
        // A number may be written here in other groups than in its source.
        let has_digit = |words: &[&str]| words.iter().any(|w| w.bytes().any(|b| b.is_ascii_digit()));
        for n in 1..=WORDS_MAX.min(words.len()) {
            for group in words.windows(n).filter(|group| has_digit(group)) {
                let joined = group.concat();
                if joined.len() < JOINED_MIN || joined.len() > JOINED_MAX {
                    continue;
                }
                for kind in KINDS.iter().filter(|kind| is_number(kind)) {
                    if self.hashes.contains(&self.hash(kind, &joined)) {
                        found.insert(*kind);
                    }
                }
            }
        }
        found
    }
}

fn is_name_or_number(kind: Option<dunlin_plan::Kind>) -> bool {
    use dunlin_plan::Kind;
    !matches!(
        kind,
        None | Some(
            Kind::None | Kind::FreeText | Kind::City | Kind::Country | Kind::Gender | Kind::Age | Kind::Geo
        )
    )
}

/// Whether values of a kind are numbers, whose groups say nothing.
fn is_number(kind: &str) -> bool {
    !matches!(kind, "person_name" | "family_name" | "given_name" | "email" | "postal_address")
}

/// Small letters and digits, words apart by one blank.
fn folded(text: &str) -> String {
    let letters = text.chars().flat_map(char::to_lowercase);
    let spaced: String = letters.map(|c| if c.is_alphanumeric() || c == '@' { c } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads a table and hands over each batch, column by column, as texts; what has a type of the server's own as well.
async fn each_batch(
    reader: &dyn Reader,
    table: &Table,
    mut each: impl FnMut(&[Vec<Option<String>>]),
) -> Result<()> {
    for bounds in reader.splits(table, 100_000, &[]).await? {
        let bounds: Bounds = bounds;
        let mut request = ReadRequest::all(Arc::new(table.clone()), bounds);
        for column in &mut request.columns {
            column.as_text |= matches!(table.columns[column.index].ty, ColumnType::Opaque { .. });
        }
        let mut stream = reader.read(request).await?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let columns = batch.rows.columns().iter().zip(&table.columns);
            let texts: Vec<_> = columns.map(|(array, column)| array_to_text(array, &column.ty)).collect();
            each(&texts);
        }
    }
    Ok(())
}

/// Looks at one table of the copy.
async fn look(run: &Run<'_>, spec: &TableSpec, known: &Known, examined: &mut Examined) -> Result<()> {
    let reader = run.stores.get(&spec.plan.to.store)?.reader().await?;
    let protects: Vec<Option<Protect>> = spec
        .target
        .columns
        .iter()
        .map(|c| spec.mapping.columns.iter().find(|m| m.target == c.name).and_then(|m| m.protect))
        .collect();
    let mut grouping = Grouping::of(run, spec).await?;
    each_batch(reader.as_ref(), &spec.target, |batch| {
        for (at, texts) in batch.iter().enumerate() {
            look_at(spec, at, protects[at], texts, known, examined);
        }
        if let Some(grouping) = &mut grouping {
            grouping.add(batch);
        }
    })
    .await?;
    examined.groups.extend(grouping.map(Grouping::counted));
    Ok(())
}

/// Looks at some values of one column of the copy.
fn look_at(
    spec: &TableSpec,
    at: usize,
    protect: Option<Protect>,
    texts: &[Option<String>],
    known: &Known,
    examined: &mut Examined,
) {
    let column = &spec.target.columns[at];
    examined.values += texts.iter().flatten().count() as u64;
    let mut rules: BTreeMap<&'static str, u64> = BTreeMap::new();
    for text in texts.iter().flatten() {
        for rule in rules_of(&column.ty, protect, text, known) {
            *rules.entry(rule).or_default() += 1;
        }
    }
    if !rules.is_empty() {
        examined.places.insert(format!("{}.{}", spec.label, column.name));
    }
    for (rule, cells) in rules {
        *examined.found.entry(rule.to_owned()).or_default() += cells;
    }
}

/// The rules that one value of a copy breaks.
fn rules_of(ty: &ColumnType, protect: Option<Protect>, text: &str, known: &Known) -> BTreeSet<&'static str> {
    let date = matches!(ty, ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampTz);
    if date {
        let first = text.get(4..10).is_none_or(|day| day == "-01-01");
        return if first {
            BTreeSet::new()
        } else {
            identifier_rules("birth_date", "").into_iter().collect()
        };
    }
    if protect == Some(Protect::Fake) {
        return BTreeSet::new();
    }
    let mut rules: BTreeSet<&'static str> = BTreeSet::new();
    // A number that is no text is of a kind only where a column says so; three digits of a postcode are allowed.
    let is_text = matches!(
        ty,
        ColumnType::Text { .. }
            | ColumnType::Char { .. }
            | ColumnType::Json
            | ColumnType::Jsonb
            | ColumnType::Opaque { .. }
    );
    if is_text && protect != Some(Protect::General) {
        for span in spans(text).iter().filter(|span| span.confidence >= FOUND || span.detail == "date") {
            let digits = text[span.range.clone()].chars().filter(char::is_ascii_digit).collect::<String>();
            if span.kind == "age" && digits.parse::<u32>().is_ok_and(|age| age <= AGE_MAX) {
                continue;
            }
            rules.extend(identifier_rules(span.kind, span.detail));
        }
    }
    for kind in known.kinds_in(text) {
        rules.extend(identifier_rules(kind, ""));
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(names: &[(&'static str, &str)]) -> Known {
        let mut known = Known::new([5; 32]);
        names.iter().for_each(|(kind, text)| known.add(kind, text));
        known
    }

    #[test]
    fn full_names_long_names_and_numbers_in_other_groups_are_found() {
        let mut known = known(&[
            ("given_name", "Xqueltzin"),
            ("family_name", "Abernackle"),
            ("person_name", "Maxxo Zylberq Vanthorn Ykkelby"),
            ("phone", "0049301234567"),
            ("account_number", "12 34 56 78 90"),
        ]);
        known.add_names("Xqueltzin", "Abernackle");
        let of = |text: &str| known.kinds_in(text).into_iter().collect::<Vec<_>>();
        assert_eq!(of("spoke to Xqueltzin Abernackle today"), ["person_name"]);
        assert_eq!(of("ABERNACKLE, Xqueltzin: called"), ["person_name"]);
        assert_eq!(of("from maxxo zylberq vanthorn ykkelby again"), ["person_name"]);
        assert_eq!(of("ring 0049 30 12 34 567"), ["phone"]);
        assert_eq!(of("account 1234567890"), ["account_number"]);
        assert_eq!(of("account 12 34 56 78 90"), ["account_number"]);
        assert_eq!(of("Xqueltzin said on 12 34 that"), Vec::<&str>::new());
    }

    #[test]
    fn what_a_server_has_its_own_type_for_is_read() {
        let inet = ColumnType::Opaque { name: "inet".into() };
        assert!(!rules_of(&inet, None, "10.1.2.3", &known(&[])).is_empty());
    }

    #[test]
    fn what_survives_in_any_column_is_found_notes_included() {
        let known = known(&[("person_name", "Xqueltzin Abernackle"), ("phone", "0049 30 1234567")]);
        let of = |text: &str| rules_of(&ColumnType::TEXT, None, text, &known).into_iter().collect::<Vec<_>>();
        // No list has the name; the source has.
        assert_eq!(of("spoke to XQUELTZIN Abernackle, all well"), ["HIPAA-SH-01"]);
        assert_eq!(of("0049/30/1234567"), ["HIPAA-SH-04", "HIPAA-SH-05"]);
        assert_eq!(of("write to ana.ruiz@example.com"), ["HIPAA-SH-06"]);
        assert_eq!(of("SSN 219-09-9999 on file"), ["HIPAA-SH-07"]);
        assert_eq!(of("the weather was fine"), Vec::<&str>::new());
        assert_eq!(of("removed"), Vec::<&str>::new());
    }

    #[test]
    fn only_the_first_of_a_year_may_stand_in_a_copy() {
        let known = known(&[]);
        let of = |text: &str| rules_of(&ColumnType::Date, Some(Protect::General), text, &known).len();
        assert_eq!((of("1980-01-01"), of("1980-04-06")), (0, 1));
    }
}
