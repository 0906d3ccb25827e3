//! Scores kinds and spans against a labelled folder: `tables/*.csv` with `labels.csv` (`table,column,label`), and
//! `text.csv` (`text_id,full_text`) with `text_spans.csv` (`text_id,start,end,entity_type`, in characters). A measuring
//! instrument for `bench/quality.sh`; it decides nothing.
//!
//! `cargo run --release --example score_kinds -- FOLDER [--bare] [--wrong]`: `--bare` takes the columns' names away,
//! `--wrong` lists what was judged wrongly.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use dunlin_connect::ColumnType;
use dunlin_quality::{KindGuess, SampledColumn, detect_table, spans};

type Counts = BTreeMap<String, [u64; 3]>;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = args.first().filter(|a| !a.starts_with("--")).ok_or("name the folder")?;
    let has = |flag: &str| args.iter().any(|a| a == flag);
    kinds(Path::new(folder), has("--bare"), has("--wrong"))?;
    if !has("--bare") {
        text(Path::new(folder), has("--wrong"))?;
    }
    Ok(())
}

/// The label of a guess, in the words of the set.
fn label(guess: &Option<KindGuess>) -> &'static str {
    let Some(guess) = guess else { return "none" };
    match (guess.kind.as_str(), guess.detail) {
        (_, Some("card_cvv")) => "cvv",
        (_, Some("username")) => "username",
        (_, Some("crypto_wallet")) => "wallet",
        (_, Some("orcid")) => "person_code",
        (_, Some("region")) => "region",
        (_, Some("name_part")) => "name_part",
        (_, Some("us_npi" | "us_dea")) => "provider_id",
        (_, Some("us_aba" | "bank_code")) => "bank_routing",
        (_, Some("uk_nhs" | "mrn" | "health_plan" | "us_mbi")) => "health_id",
        ("credential", _) => "password",
        ("person_name" | "given_name" | "family_name", _) => "name",
        ("postal_address", _) => "address",
        ("birth_date", _) => "dob",
        ("card_number", _) => "credit_card",
        ("us_ssn", _) => "ssn",
        ("ip_address", _) => "ip",
        ("mac_address", _) => "mac",
        ("tax_id", _) => "national_id",
        ("email", _) => "email",
        ("phone", _) => "phone",
        ("city", _) => "city",
        ("postcode", _) => "postcode",
        ("country", _) => "country",
        ("age", _) => "age",
        ("gender", _) => "gender",
        ("national_id", _) => "national_id",
        ("iban", _) => "iban",
        ("bic", _) => "bic",
        ("url", _) => "url",
        ("health_code", _) => "health_code",
        // Words that a person typed are no class of the set.
        ("free_text", _) => "none",
        _ => "other",
    }
}

fn kinds(folder: &Path, bare: bool, wrong: bool) -> Result<(), Box<dyn Error>> {
    let mut truth: HashMap<(String, String), String> = HashMap::new();
    for record in csv::Reader::from_path(folder.join("labels.csv"))?.records() {
        let record = record?;
        truth.insert((record[0].to_owned(), record[1].to_owned()), record[2].to_owned());
    }
    let mut counts = Counts::new();
    let (mut cells, mut columns) = (0usize, 0usize);
    let mut seconds = 0.0;
    let ty = ColumnType::TEXT;
    let mut files: Vec<_> = std::fs::read_dir(folder.join("tables"))?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::path);
    for file in files {
        let table = file.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file.path())?;
        let header = reader.headers()?.clone();
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
        let names: Vec<String> = (0..header.len()).map(|at| format!("c{at}")).collect();
        let sampled: Vec<SampledColumn> = (0..header.len())
            .map(|at| SampledColumn {
                name: if bare { &names[at] } else { &header[at] },
                ty: &ty,
                values: rows.iter().map(|r| r.get(at).filter(|v| !v.is_empty())).collect(),
            })
            .collect();
        // Word lists and patterns are made when first asked for: once a process, so the second time is taken.
        detect_table(&sampled);
        let began = Instant::now();
        let guesses = detect_table(&sampled);
        seconds += began.elapsed().as_secs_f64();
        cells += rows.len() * header.len();
        for (at, guess) in guesses.iter().enumerate() {
            let Some(wanted) = truth.get(&(table.clone(), header[at].to_owned())) else { continue };
            columns += 1;
            let given = label(guess);
            if given == wanted {
                counts.entry(wanted.clone()).or_default()[0] += 1;
            } else {
                counts.entry(given.to_owned()).or_default()[1] += 1;
                counts.entry(wanted.clone()).or_default()[2] += 1;
                if wrong {
                    let why = guess.as_ref().map(|g| {
                        format!("{} {:?} {:.2} {}", g.kind, g.detail, g.confidence, g.evidence.join("; "))
                    });
                    println!(
                        "  {table}.{} is {wanted}, said {given}: {}",
                        &header[at],
                        why.unwrap_or_default()
                    );
                }
            }
        }
    }
    let (macro_f1, lines) = scores(&counts, |class| class != "other");
    println!(
        "kinds {}: macro F1 {macro_f1:.3} over {columns} columns; {cells} cells in {seconds:.4} s, {:.1} M cells/s",
        if bare { "without headers" } else { "with headers" },
        cells as f64 / seconds / 1e6
    );
    if wrong {
        println!("{lines}");
    }
    Ok(())
}

/// Macro F1 over the classes that have a truth, and a line a class.
fn scores(counts: &Counts, counted: impl Fn(&str) -> bool) -> (f64, String) {
    let (mut sum, mut classes, mut lines) = (0.0, 0, String::new());
    for (class, [hit, false_hit, missed]) in counts.iter().filter(|(class, _)| counted(class)) {
        let f1 = 2.0 * *hit as f64 / (2 * hit + false_hit + missed).max(1) as f64;
        lines.push_str(&format!(
            "  {class:15} hit {hit:4} false {false_hit:4} missed {missed:4} F1 {f1:.3}\n"
        ));
        if hit + missed > 0 {
            sum += f1;
            classes += 1;
        }
    }
    (sum / f64::from(classes.max(1)), lines)
}

fn entity(kind: &str, detail: &str) -> Option<&'static str> {
    Some(match (kind, detail) {
        ("email", _) => "EMAIL_ADDRESS",
        ("phone", _) => "PHONE_NUMBER",
        ("card_number", _) => "CREDIT_CARD",
        ("iban", _) => "IBAN_CODE",
        ("ip_address", _) => "IP_ADDRESS",
        ("url", _) => "DOMAIN_NAME",
        ("us_ssn", _) => "US_SSN",
        ("driving_licence", _) => "US_DRIVER_LICENSE",
        ("birth_date", _) => "DATE_TIME",
        ("age", _) => "AGE",
        ("person_name", _) => "PERSON",
        ("postal_address", _) => "STREET_ADDRESS",
        ("postcode", _) => "ZIP_CODE",
        ("national_id" | "tax_id", _) => "NATIONAL_ID",
        _ => return None,
    })
}

/// A span is found where one of the same kind overlaps it.
fn text(folder: &Path, wrong: bool) -> Result<(), Box<dyn Error>> {
    type Spans = Vec<(usize, usize, String)>;
    let mut truth: HashMap<String, Spans> = HashMap::new();
    for record in csv::Reader::from_path(folder.join("text_spans.csv"))?.records() {
        let record = record?;
        let span = (record[1].parse()?, record[2].parse()?, record[3].to_owned());
        truth.entry(record[0].to_owned()).or_default().push(span);
    }
    let mut counts = Counts::new();
    let (mut bytes, mut seconds) = (0, 0.0);
    for record in csv::Reader::from_path(folder.join("text.csv"))?.records() {
        let record = record?;
        let full = &record[1];
        let began = Instant::now();
        let found = spans(full);
        seconds += began.elapsed().as_secs_f64();
        bytes += full.len();
        let chars = |at: usize| full[..at].chars().count();
        let found: Spans = found
            .iter()
            .filter_map(|s| {
                entity(s.kind, s.detail).map(|e| (chars(s.range.start), chars(s.range.end), e.to_owned()))
            })
            .collect();
        let none = Vec::new();
        let wanted = truth.get(&record[0]).unwrap_or(&none);
        let overlaps =
            |a: &(usize, usize, String), b: &(usize, usize, String)| a.2 == b.2 && a.0 < b.1 && b.0 < a.1;
        for span in wanted {
            let hit = found.iter().any(|f| overlaps(f, span));
            counts.entry(span.2.clone()).or_default()[if hit { 0 } else { 2 }] += 1;
            if wrong
                && !hit
                && !matches!(
                    span.2.as_str(),
                    "PERSON" | "STREET_ADDRESS" | "GPE" | "ORGANIZATION" | "TITLE" | "NRP"
                )
            {
                println!("  missed {} in {:?}", span.2, full);
            }
        }
        for span in found.iter().filter(|f| !wanted.iter().any(|w| overlaps(f, w))) {
            counts.entry(span.2.clone()).or_default()[1] += 1;
            if wrong && !matches!(span.2.as_str(), "PERSON" | "STREET_ADDRESS") {
                let text: String = full.chars().skip(span.0).take(span.1 - span.0).collect();
                println!("  false {} {text:?} in {full:?}", span.2);
            }
        }
    }
    let structured = [
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "CREDIT_CARD",
        "IBAN_CODE",
        "IP_ADDRESS",
        "DOMAIN_NAME",
        "US_SSN",
        "NATIONAL_ID",
        "DATE_TIME",
    ];
    let mut sum = [0u64; 3];
    for class in structured {
        let of = counts.get(class).copied().unwrap_or_default();
        (0..3).for_each(|at| sum[at] += of[at]);
    }
    let share = |part: u64, other: u64| part as f64 / (part + other).max(1) as f64;
    println!(
        "spans, {} structured kinds: recall {:.3}, precision {:.3}; {:.1} MB/s",
        structured.len(),
        share(sum[0], sum[2]),
        share(sum[0], sum[1]),
        bytes as f64 / seconds / 1e6
    );
    println!("{}", scores(&counts, |_| true).1);
    Ok(())
}
