//! Profiles one file with rules from the command line and prints the counts and the time: the measuring instrument
//! beside `dunlin profile` for work on this crate alone.
//!
//! `cargo run --release --example profile_file -- FILE [NAME=CHECK | NAME:COLUMN,COLUMN]…`

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use dunlin_connect::{Bounds, OpenOptions, ReadRequest};
use dunlin_quality::{ProfileOptions, Rule, Rules, profile_table_with};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let path = args.first().ok_or("name the file")?;
    let rules: Vec<Rule> = args[1..].iter().filter_map(|text| rule(text)).collect();
    let began = Instant::now();
    let store = dunlin_connect::open("it", &format!("file:{path}"), &OpenOptions::default()).await?;
    for name in store.tables().await? {
        let Some(table) = store.table(&name).await? else { continue };
        let schema = ReadRequest::all(Arc::new(table.clone()), Bounds::Whole).schema();
        let rules =
            (!rules.is_empty()).then(|| Rules::compile(&rules, &schema, 0)).transpose()?.map(Arc::new);
        let options = ProfileOptions { rules, ..ProfileOptions::default() };
        let profile = profile_table_with(store.as_ref(), table, options).await?;
        for column in &profile.columns {
            let findings: Vec<String> =
                column.findings.iter().map(|f| format!("{} {}", f.code, f.rows)).collect();
            println!(
                "{} {:?} {:?} distinct {} unknown {} {}",
                column.column,
                column.kind,
                column.detail,
                column.distinct,
                column.unknowns,
                findings.join(", ")
            );
        }
        for count in &profile.rules {
            print!("{} ", count.broken.map_or("-".to_owned(), |n| n.to_string()));
        }
        println!();
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default();
    println!("{:.2} s, {peak}", began.elapsed().as_secs_f64());
    Ok(())
}

fn rule(text: &str) -> Option<Rule> {
    let columns = text.split_once(':').filter(|(name, _)| !name.contains('='));
    if let Some((name, columns)) = columns {
        let unique = columns.split(',').map(str::to_owned).collect();
        return Some(Rule { name: name.to_owned(), check: None, unique: Some(unique) });
    }
    let (name, check) = text.split_once('=')?;
    Some(Rule { name: name.to_owned(), check: Some(check.to_owned()), unique: None })
}
