//! A customer's copy of the data: every part through the gate, exact as JSON and as CSV for a spreadsheet, in one zip file
//! made in memory. No file of it stays on this machine.

use std::borrow::Cow;
use std::io::{Cursor, Write};

use dunlin_gate::{
    Act, Ask, ColumnDecision, Decision, Permit, Policy, Question, Shown, people_csv, people_file_name,
};
use dunlin_ledger::Actor;
use dunlin_store::{Workspace, new_id};
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::CustomerPart;
use crate::problem::Problem;

/// The customer's own data, to the customer: in clear. Whoever uses it has authenticated the customer, and hands in what is
/// that customer's alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnData;

#[async_trait::async_trait]
impl Policy for OwnData {
    async fn decide(&self, question: &Question<'_>) -> Decision {
        let export = question.ask.act() == Act::Export;
        let column = |kind: Option<&str>| {
            // A password is nobody's to look at on a screen, and stays what it is in a copy.
            let shown = if kind == Some("credential") && !export { Shown::Masked } else { Shown::Clear };
            ColumnDecision {
                shown,
                reason_code: Cow::Borrowed("own_data"),
                sentence: Cow::Borrowed("Customers see what is theirs."),
            }
        };
        let columns = question.columns.iter().map(|c| column(c.kind.as_deref())).collect();
        Decision::Allow(Permit { columns, limit: None })
    }
}

/// The customer's question. The ledger knows no customer: what it names is that this was the customer's own access.
pub(crate) fn ask(action: Act) -> Ask {
    let mut ask = Ask::clear(Actor::System, "subject-access", "the customer's own page");
    ask.action = action;
    ask.surface = "customer".to_owned();
    ask
}

/// A copy.
pub(crate) struct Copy {
    /// The zip file.
    pub(crate) zip: Vec<u8>,
    /// Rows in it.
    pub(crate) rows: u64,
}

/// Makes a copy of these parts.
///
/// # Errors
/// The gate did not open, or the file could not be made.
pub(crate) async fn copy(
    workspace: &Workspace,
    request: &str,
    company: &str,
    parts: Vec<CustomerPart>,
) -> Result<Copy, Problem> {
    let (mut zip, mut tables, mut rows, mut names) = (Zip::default(), Vec::new(), 0, Vec::new());
    for part in parts {
        let opened = dunlin_gate::open(part.rows, &OwnData, workspace, &ask(Act::Export), &new_id()).await;
        let opened = opened.map_err(|_| unmade())?;
        let name = people_file_name(part.side, &part.table, &mut names);
        let columns: Vec<&str> = opened.columns.iter().map(|c| c.name.as_str()).collect();
        zip.add(&name, &people_csv(&columns, &opened.rows).map_err(|_| unmade())?)?;
        let exact: Vec<Map<String, Value>> = opened
            .rows
            .iter()
            .map(|row| columns.iter().map(|c| (*c).to_owned()).zip(row.iter().map(|v| json!(v))).collect())
            .collect();
        rows += part.count;
        tables.push(json!({
            "side": part.side, "store": opened.store, "table": part.table, "file": name, "rows": exact,
        }));
        opened.close(workspace).await.map_err(|_| unmade())?;
    }
    let all =
        json!({ "format": "dunlin-export/v1", "request": request, "company": company, "tables": tables });
    zip.add("data.json", &serde_json::to_vec_pretty(&all).map_err(|_| unmade())?)?;
    Ok(Copy { zip: zip.finish()?, rows })
}

fn unmade() -> Problem {
    tracing::error!(reference = crate::problem::reference(), "a customer's copy could not be made");
    Problem::internal()
}

/// The zip file: deflated, and without times, so that the same data gives the same bytes.
struct Zip(ZipWriter<Cursor<Vec<u8>>>);

impl Default for Zip {
    fn default() -> Zip {
        Zip(ZipWriter::new(Cursor::new(Vec::new())))
    }
}

impl Zip {
    fn add(&mut self, name: &str, content: &[u8]) -> Result<(), Problem> {
        // Whoever unpacks it on a shared machine keeps it to themselves.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o600)
            // Only where sizes need it: old programs do not read the longer form.
            .large_file(u32::try_from(content.len()).is_err());
        self.0.start_file(name, options).map_err(|_| unmade())?;
        self.0.write_all(content).map_err(|_| unmade())
    }

    fn finish(self) -> Result<Vec<u8>, Problem> {
        Ok(self.0.finish().map_err(|_| unmade())?.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn made() -> Vec<u8> {
        let mut zip = Zip::default();
        zip.add("target-atlas.people.csv", b"name\r\nAna\r\n").unwrap();
        zip.add("cuarentena-año.csv", &vec![b'x'; 200_000]).unwrap();
        zip.add("data.json", b"{}").unwrap();
        zip.finish().unwrap()
    }

    #[test]
    fn the_same_data_gives_the_same_bytes_and_reads_back() {
        let zip = made();
        assert_eq!(zip, made());
        assert!(zip.len() < 2_000, "it is deflated");
        let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
        let mut text = String::new();
        archive.by_name("target-atlas.people.csv").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "name\r\nAna\r\n");
    }

    #[test]
    fn python_opens_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("my-data.zip");
        std::fs::write(&file, made()).unwrap();
        let program = "import sys, zipfile\n\
            z = zipfile.ZipFile(sys.argv[1])\n\
            assert z.testzip() is None\n\
            assert z.namelist() == ['target-atlas.people.csv', 'cuarentena-año.csv', 'data.json'], z.namelist()\n\
            assert len(z.read('cuarentena-año.csv')) == 200000\n";
        match std::process::Command::new("python3").arg("-c").arg(program).arg(&file).output() {
            Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr)),
            Err(_) => eprintln!("skipped: there is no python3"),
        }
    }
}
