//! `dunlin init`: reads both schemas and drafts a plan that runs as it is, with what needs a decision said beside it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dunlin_connect::{OpenOptions, Store, System, Table};
use dunlin_quality::{KindGuess, sampled_kinds};

use super::OK;
use crate::cli::{Format, InitArgs};
use crate::failure::Failure;
use crate::output;
use crate::workspace::PLAN_FILE;

/// Drafts a plan.
pub async fn init(dir: &Path, args: InitArgs, format: Format) -> Result<u8, Failure> {
    let path = dir.join(PLAN_FILE);
    if path.exists() && !args.force {
        return Err(Failure::usage(format!("{} exists", path.display()), "use --force to overwrite it"));
    }
    std::fs::create_dir_all(dir).map_err(|e| Failure::file(dir, &e))?;
    let source = side(dir, "source", &args.from).await?;
    let target = side(dir, "target", &args.to).await?;
    let failed = |e| Failure::Move(dunlin_move::MoveError::Connect(e));
    let reader = source.store.reader().await.map_err(failed)?;
    let mut tables = String::new();
    let mut count = 0;
    for name in source.store.tables().await.map_err(failed)? {
        let Some(table) = source.store.table(&name).await.map_err(failed)? else { continue };
        let kinds = sampled_kinds(reader.as_ref(), &table).await.map_err(failed)?;
        let there = existing(&source, &target, &table).await;
        write_table(&mut tables, &source, &target, &table, &kinds, there.as_ref());
        count += 1;
    }
    if count == 0 {
        return Err(Failure::usage("the source holds no table", "check the URL of --from"));
    }
    let text = head(&args, &source, &target) + &tables;
    std::fs::write(&path, text).map_err(|e| Failure::file(&path, &e))?;
    if format == Format::Json {
        output::json(&serde_json::json!({ "plan": path, "tables": count }));
    } else {
        let tables = if count == 1 { "table" } else { "tables" };
        output::line(&format!("{}: {count} {tables} drafted", path.display()));
        output::note("read it, then: dunlin check, dunlin run --rehearse, dunlin run");
    }
    Ok(OK)
}

struct Side {
    name: &'static str,
    /// The URL as the plan has it: without a password.
    url: String,
    store: Arc<dyn Store>,
}

async fn side(dir: &Path, name: &'static str, given: &str) -> Result<Side, Failure> {
    let failed = |e| Failure::Move(dunlin_move::MoveError::Connect(e));
    let base = std::env::current_dir().unwrap_or_default();
    let (url, clear) = match given.strip_prefix("env:") {
        Some(variable) => {
            let clear = std::env::var(variable).map_err(|_| {
                Failure::usage(
                    format!("the environment variable `{variable}` is not set"),
                    "export it, then run again",
                )
            })?;
            (given.to_owned(), clear)
        }
        None if has_password(given) => (format!("secret:{}", keep_secret(name, given)?), given.to_owned()),
        None => (seen_from(dir, given), given.to_owned()),
    };
    let options = OpenOptions { base, ..OpenOptions::default() };
    let store = dunlin_connect::open(name, &clear, &options).await.map_err(failed)?;
    Ok(Side { name, url, store })
}

fn has_password(url: &str) -> bool {
    url::Url::parse(url)
        .is_ok_and(|u| u.password().is_some() || u.query_pairs().any(|(k, _)| k == "password"))
}

/// Moves a URL with a password out of sight: a file outside the plan's folder that only its owner can read.
fn keep_secret(name: &str, url: &str) -> Result<String, Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let folder = home.join(".config/dunlin/secrets");
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|e| Failure::file(&folder, &e))?;
    let path = folder.join(format!("{name}-{}.url", dunlin_store::new_id()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| Failure::file(&path, &e))?;
    writeln!(file, "{url}").map_err(|e| Failure::file(&path, &e))?;
    output::note(&format!(
        "the {name}'s URL holds a password: it is in {} now, and the plan names that file",
        path.display()
    ));
    Ok(path.display().to_string())
}

/// A path given from where the person stands, as the plan's folder sees it.
fn seen_from(dir: &Path, url: &str) -> String {
    for scheme in ["sqlite:", "file:"] {
        if let Some(path) = url.strip_prefix(scheme) {
            let bare = path.trim_start_matches("//");
            if Path::new(bare).is_absolute() || dir == Path::new(".") {
                return url.to_owned();
            }
            let here = std::env::current_dir().unwrap_or_default().join(bare);
            return format!("{scheme}{}", here.display());
        }
    }
    url.to_owned()
}

fn head(args: &InitArgs, source: &Side, target: &Side) -> String {
    let name = quoted(&args.name);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# Drafted by `dunlin init`. It runs as it is; read every table once, and decide what is marked DECIDE.\n\
         # docs/plan.md explains every key.\n\n\
         [plan]\nname = {name}\n\n\
         [store.{}]\nurl = {}\n\n[store.{}]\nurl = {}\n\n\
         # [comply]                               # packs act only when named\n\
         # packs = [\"gdpr\", \"pci\"]\n\n\
         # [window]                               # when data may move; without it, always\n\
         # days = [\"sat\", \"sun\"]\n# from = \"22:00\"\n# to = \"06:00\"\n# zone = \"Europe/Madrid\"\n",
        source.name,
        quoted(&source.url),
        target.name,
        quoted(&target.url)
    );
    out
}

async fn existing(source: &Side, target: &Side, table: &Table) -> Option<Table> {
    // A target that cannot answer yet (a file that is not there) simply has no such table.
    target.store.table(&there_name(source, target, table)).await.ok().flatten()
}

/// The table's name in the target: between two PostgreSQL databases it stays in its schema.
fn there_name(source: &Side, target: &Side, table: &Table) -> dunlin_connect::TableName {
    let schemas = [source, target].iter().all(|s| s.store.system() == System::Postgres);
    match &table.name.schema {
        Some(schema) if schemas && schema != "public" => table.name.clone(),
        _ => dunlin_connect::TableName::bare(&table.name.name),
    }
}

fn write_table(
    out: &mut String,
    source: &Side,
    target: &Side,
    table: &Table,
    kinds: &[Option<KindGuess>],
    there: Option<&Table>,
) {
    let from = reference(source, &table.name);
    let to = reference(target, &there_name(source, target, table));
    let estimate = table.rows_estimate.map(|r| format!("   # about {}", output::rows(r))).unwrap_or_default();
    let _ = writeln!(out, "\n[[table]]{estimate}\nfrom = {}\nto = {}", quoted(&from), quoted(&to));
    if !table.primary_key.is_empty() {
        let key: Vec<String> = table.primary_key.iter().map(|k| quoted(k)).collect();
        let _ = writeln!(out, "key = [{}]", key.join(", "));
    }
    let mut drops = Vec::new();
    let _ = writeln!(out, "\n[table.columns]");
    for (i, column) in table.columns.iter().enumerate() {
        if column.generated.is_some() {
            let _ = writeln!(out, "# {} is computed by the source and not moved", column.name);
            continue;
        }
        if there.is_some_and(|t| t.column(&column.name).is_none()) {
            drops.push(column.name.clone());
            continue;
        }
        let guess = kinds[i].as_ref().filter(|g| g.confidence >= 0.5);
        let from = quoted(&column.name);
        let line = match guess {
            Some(guess) => {
                format!("{} = {{ from = {from}, kind = {} }}", key(&column.name), quoted(&guess.kind))
            }
            None => format!("{} = {{ from = {from} }}", key(&column.name)),
        };
        let remark = guess.filter(|g| matches!(g.class, "sensitive" | "secret")).map(|g| {
            format!(
                "   # DECIDE: {} data; protect = \"mask\", \"hash\", \"tokenise\" or \"encrypt\"?",
                g.class
            )
        });
        let _ = writeln!(out, "{line}{}", remark.unwrap_or_default());
    }
    if !drops.is_empty() {
        let _ = writeln!(
            out,
            "\n[table.drop]                             # DECIDE: the target has no such columns"
        );
        for column in drops {
            let _ = writeln!(out, "{} = \"the target table has no such column\"", key(&column));
        }
    }
}

fn reference(side: &Side, name: &dunlin_connect::TableName) -> String {
    if side.store.system() == System::Files && !side.url.trim_end_matches('"').ends_with('/') {
        return side.name.to_owned();
    }
    let part = |p: &str| {
        let plain = p.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain { p.to_owned() } else { format!("\"{}\"", p.replace('"', "\"\"")) }
    };
    let schema = name.schema.as_ref().map(|s| format!("{}.", part(s))).unwrap_or_default();
    format!("{}.{schema}{}", side.name, part(&name.name))
}

/// A TOML string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A TOML key.
fn key(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain { name.to_owned() } else { quoted(name) }
}
