//! `dunlin duplicates`: who is in a table twice, of any store or file. That decides nothing and changes nothing; keys leave
//! through the gate, other values not at all. The pairs that a run left for a person are in [`pairs`].

mod pairs;

use std::path::Path;
use std::time::Instant;

use dunlin_gate::{Act, Ask, MaskedOnly};
use dunlin_move::PairVerdict;
use dunlin_quality::{Explanation, Group, LinkError, Linked, ReviewPair, Side, read_to_link};
use dunlin_store::Actor;

use super::OK;
use super::profile::{Log, store_of};
use crate::cli::{ClearArgs, ComparedArgs, DuplicatesArgs, DuplicatesCommand, Format};
use crate::failure::Failure;
use crate::output::{self, thousands};

/// Groups that are shown to people; JSON and `--out` have all.
const SHOWN: usize = 10;

/// Finds the rows that stand for one person, or explains one pair.
pub async fn duplicates(dir: &Path, args: DuplicatesArgs, format: Format) -> Result<u8, Failure> {
    match (&args.command, &args.compared) {
        (Some(DuplicatesCommand::List { all, clear }), _) => pairs::list(dir, *all, clear, format).await,
        (Some(DuplicatesCommand::Show(asked)), _) => match (&asked.key, &asked.one, &asked.other) {
            (Some(key), Some(one), Some(other)) => {
                let compared = ComparedArgs {
                    url: asked.place.clone(),
                    key: key.clone(),
                    columns: asked.columns.clone(),
                    link: asked.link.clone(),
                    table: asked.table.clone(),
                };
                show(&compared, one, other, format).await
            }
            _ => pairs::show(dir, &asked.place, &asked.clear, format).await,
        },
        (Some(DuplicatesCommand::Merge { pairs }), _) => {
            pairs::decide(dir, pairs, PairVerdict::Merge, format).await
        }
        (Some(DuplicatesCommand::Keep { pairs }), _) => {
            pairs::decide(dir, pairs, PairVerdict::Keep, format).await
        }
        (Some(DuplicatesCommand::Undo { pairs }), _) => {
            pairs::decide(dir, pairs, PairVerdict::Undo, format).await
        }
        (None, Some(compared)) => find(dir, compared, &args, format).await,
        // clap asks for one of the two.
        (None, None) => Err(Failure::usage("nothing to compare", "`dunlin duplicates URL --key COLUMN`")),
    }
}

/// What was found, in the order in which it is told.
struct Told {
    groups: Vec<Group>,
    review: Vec<ReviewPair>,
    /// Whether places of rows are shown.
    by_place: bool,
}

impl Told {
    /// Every set of records with its probability and its decision: groups first.
    fn sets(&self) -> impl Iterator<Item = (Vec<(u32, f64)>, f64, &'static str)> {
        let groups = self.groups.iter().map(|g| (g.records.clone(), g.probability, "merge"));
        let pairs = self.review.iter().map(|pair| {
            let (a, b) = pair.records;
            (vec![(a, pair.probability), (b, pair.probability)], pair.probability, "review")
        });
        groups.chain(pairs)
    }
}

async fn find(
    dir: &Path,
    compared: &ComparedArgs,
    args: &DuplicatesArgs,
    format: Format,
) -> Result<u8, Failure> {
    if args.review > args.above {
        return Err(Failure::usage(
            "`--review` is above `--above`, so there would be nothing to look at",
            "give `--review` the lower of the two probabilities",
        ));
    }
    let started = Instant::now();
    let linked = link(compared).await?;
    let groups = tokio::task::block_in_place(|| linked.found.groups(args.above));
    let review = linked.found.review(args.review, &groups);
    // A rowid may be the key itself.
    let by_place =
        ![Some(&compared.url), compared.link.as_ref()].iter().flatten().any(|u| u.starts_with("sqlite:"));
    let told = Told { groups, review, by_place };
    let seconds = started.elapsed().as_secs_f64();
    let log = Log::of(dir).await?;
    if format == Format::Json || args.out.is_some() {
        let keys = keys(&linked, &told, usize::MAX, &args.clear, args.out.is_some(), &log).await?;
        if let Some(path) = &args.out {
            write(path, &linked, &told, &keys)?;
        }
        if format == Format::Json {
            print_json(&linked, &told, &keys, seconds);
        }
    }
    if format == Format::Text {
        print_counts(&linked, &told, seconds);
        print_weights(&linked);
        let keys = keys(&linked, &told, SHOWN, &args.clear, false, &log).await?;
        print_samples(&told, &keys);
        if let Some(path) = &args.out {
            output::note(&format!("written to {}", path.display()));
        }
    }
    log.close().await?;
    Ok(OK)
}

/// Reads and compares.
async fn link(compared: &ComparedArgs) -> Result<Linked, Failure> {
    let first = side(&compared.url, compared.table.as_deref()).await?;
    let second = match &compared.link {
        Some(url) => Some(side(url, compared.table.as_deref()).await?),
        None => None,
    };
    let read = read_to_link(first, second, &compared.key, &compared.columns).await.map_err(failed)?;
    if read.records() == 0 {
        return Err(Failure::usage(
            "there are no rows to compare",
            "see what is there with `dunlin profile URL`",
        ));
    }
    Ok(tokio::task::block_in_place(|| read.link()))
}

async fn side(url: &str, wanted: Option<&str>) -> Result<Side, Failure> {
    let store = store_of(url).await?;
    let connect = |e| Failure::Move(dunlin_move::MoveError::Connect(e));
    let names = store.tables().await.map_err(connect)?;
    let mut fitting =
        names.iter().filter(|name| wanted.is_none_or(|w| name.to_string() == w || name.name == w));
    let (Some(name), None) = (fitting.next(), fitting.next()) else {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let message = match wanted {
            Some(wanted) => format!("the store has no table `{wanted}`, or several"),
            None => format!("the store has {} tables", names.len()),
        };
        return Err(Failure::usage(message, format!("say which with `--table`: {}", names.join(", "))));
    };
    match store.table(name).await.map_err(connect)? {
        Some(table) => Ok(Side { store, table }),
        None => Err(Failure::usage(format!("`{name}` has gone"), "try again")),
    }
}

fn failed(error: LinkError) -> Failure {
    match error {
        LinkError::Connect(error) => Failure::Move(dunlin_move::MoveError::Connect(error)),
        error => {
            Failure::usage(error.to_string(), "`dunlin profile URL` lists the columns and what they hold")
        }
    }
}

/// The keys of the first `most` sets, one list a set, as the gate lets them out.
async fn keys(
    linked: &Linked,
    told: &Told,
    most: usize,
    clear: &ClearArgs,
    export: bool,
    log: &Log,
) -> Result<Vec<Vec<String>>, Failure> {
    let sets: Vec<Vec<u32>> =
        told.sets().take(most).map(|(records, _, _)| records.into_iter().map(|(r, _)| r).collect()).collect();
    if sets.is_empty() {
        return Ok(Vec::new());
    }
    let mut ask = match (clear.clear, &clear.purpose) {
        (true, Some(purpose)) => Ask::clear(Actor::local(), "duplicates", purpose),
        _ => Ask::masked(Actor::local()),
    };
    if export && ask.clear {
        ask.action = Act::Export;
    }
    ask.surface = "duplicates".to_owned();
    let sealed = linked.seal_keys(sets.iter().flatten().copied());
    let opened = dunlin_gate::open(sealed, &MaskedOnly, log, &ask, &dunlin_store::new_id()).await;
    let opened = opened.map_err(super::quarantine::refused)?;
    let mut rows = opened.rows.iter().map(|row| row.first().cloned().flatten().unwrap_or_default());
    let keys = sets.iter().map(|set| rows.by_ref().take(set.len()).collect()).collect();
    drop(rows);
    opened.close(log).await.map_err(super::quarantine::refused)?;
    Ok(keys)
}

/// The file for people: a line a row that belongs to others.
fn write(path: &Path, linked: &Linked, told: &Told, keys: &[Vec<String>]) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for (at, ((records, _, decision), keys)) in told.sets().zip(keys).enumerate() {
        for ((record, p), key) in records.into_iter().zip(keys) {
            let source = if linked.found.is_second(record) { "2" } else { "1" };
            let row = if told.by_place { linked.found.row(record).to_string() } else { String::new() };
            let cells = [
                (at + 1).to_string(),
                key.clone(),
                format!("{p:.4}"),
                decision.to_owned(),
                source.to_owned(),
                row,
            ];
            rows.push(cells.into_iter().map(Some).collect());
        }
    }
    let columns = ["cluster", "key", "p", "decision", "source", "row"];
    let bytes = dunlin_gate::people_csv(&columns, &rows).map_err(|e| Failure::file(path, &e))?;
    std::fs::write(path, bytes).map_err(|e| Failure::file(path, &e))
}

fn print_json(linked: &Linked, told: &Told, keys: &[Vec<String>], seconds: f64) {
    for (at, ((records, probability, decision), keys)) in told.sets().zip(keys).enumerate() {
        let places = || records.iter().map(|(record, _)| linked.found.row(*record)).collect::<Vec<u64>>();
        let rows = told.by_place.then(places);
        output::json(&serde_json::json!({
            "table": linked.table(), "cluster": at + 1, "keys": keys, "rows": rows,
            "probability": rounded(probability), "decision": decision,
        }));
    }
    output::json(&serde_json::json!({
        "table": linked.table(),
        "rows": linked.found.records(),
        "unread": linked.unread(),
        "pairs": linked.found.compared(),
        "clusters": told.groups.len(),
        "clustered_rows": clustered(told),
        "to_review": told.review.len(),
        "seconds": rounded(seconds),
        "weights": linked.found.weights(),
    }));
}

fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

fn clustered(told: &Told) -> usize {
    told.groups.iter().map(|g| g.records.len()).sum()
}

fn print_counts(linked: &Linked, told: &Told, seconds: f64) {
    let number = |n: usize| thousands(n as u64);
    output::line(&format!(
        "\n{}  {}, {} pairs looked at in {seconds:.1} s",
        linked.table(),
        output::rows(linked.found.records() as u64),
        number(linked.found.compared()),
    ));
    if linked.unread() > 0 {
        output::line(&format!("  {} could not be read and were not compared", output::rows(linked.unread())));
    }
    output::line(&format!(
        "  {} in {} clusters stand for somebody who is there more than once; {} pairs to look at",
        output::rows(clustered(told) as u64),
        number(told.groups.len()),
        number(told.review.len()),
    ));
}

/// What each agreement weighs, in bits.
fn print_weights(linked: &Linked) {
    let mut rows = Vec::new();
    for column in linked.found.weights() {
        for (at, level) in column.levels.iter().enumerate() {
            let name = if at == 0 { column.column.clone() } else { String::new() };
            let share = |share: f64| format!("{:.2} %", share * 100.0);
            let bits = format!("{:+.1}", level.bits);
            rows.push(vec![
                name,
                level.words.to_owned(),
                bits,
                share(level.among_matches),
                share(level.among_others),
            ]);
        }
    }
    output::line("");
    output::line(&output::table(
        &["column", "agreement", "bits", "of matches", "of others"],
        &rows,
        &[2, 3, 4],
    ));
}

fn print_samples(told: &Told, keys: &[Vec<String>]) {
    for ((_, probability, decision), keys) in told.sets().zip(keys) {
        let word = if decision == "merge" { "one" } else { "look" };
        output::line(&format!("  {word}  p {probability:.3}  {}", keys.join(" · ")));
    }
    let all = told.groups.len() + told.review.len();
    if all > keys.len() {
        let more = thousands((all - keys.len()) as u64);
        output::line(&format!("  and {more} more (all with --out FILE.csv or --format json)"));
    }
}

/// Why two rows are held for one, or not.
async fn show(compared: &ComparedArgs, one: &str, other: &str, format: Format) -> Result<u8, Failure> {
    let linked = link(compared).await?;
    let find = |key: &str, second: bool, which: &str| {
        linked.found.find(key, second).ok_or_else(|| {
            Failure::usage(
                format!("no row has the {which} key in `{}`", compared.key),
                "keys are written as they stand in the table; case and blanks count",
            )
        })
    };
    let a = find(one, false, "first")?;
    let b = find(other, compared.link.is_some(), "second")?;
    if a == b {
        return Err(Failure::usage("the two keys name one row", "name two"));
    }
    let explained = linked.found.explain(a, b);
    match format {
        Format::Json => output::json(&explained),
        Format::Text => print_explained(&explained),
    }
    Ok(OK)
}

fn print_explained(explained: &Explanation) {
    let bits = |bits: f64| format!("{bits:+.1}");
    let mut rows =
        vec![vec!["(any two rows)".to_owned(), String::new(), bits(explained.start), String::new()]];
    for column in &explained.columns {
        rows.push(vec![
            column.column.clone(),
            column.words.to_owned(),
            bits(column.bits),
            if column.rarity == 0.0 { String::new() } else { bits(column.rarity) },
        ]);
    }
    rows.push(vec!["together".to_owned(), String::new(), bits(explained.bits), String::new()]);
    output::line(&output::table(&["column", "agreement", "bits", "rare value"], &rows, &[2, 3]));
    output::line(&format!("\n  probability {:.4}", explained.probability));
}
