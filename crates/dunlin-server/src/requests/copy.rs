//! A customer's copy of the data: every part through the gate, exact as JSON and as CSV for a spreadsheet, in one zip file
//! made in memory. No file of it stays on this machine.

use std::borrow::Cow;
use std::io::Write;

use dunlin_gate::{
    Act, Ask, ColumnDecision, Decision, Permit, Policy, Question, Shown, people_csv, people_file_name,
};
use dunlin_ledger::Actor;
use dunlin_store::{Workspace, new_id};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use serde_json::{Map, Value, json};

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

/// A zip file (APPNOTE 6.3.3, the parts that every reader knows): deflated entries below 4 GB, names in UTF-8, and no
/// times, so that the same data gives the same bytes.
#[derive(Default)]
struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

/// 1 January 1980, where DOS began to count.
const NO_DATE: u16 = 0x21;

impl Zip {
    fn add(&mut self, name: &str, content: &[u8]) -> Result<(), Problem> {
        let size = |n: usize| u32::try_from(n).map_err(|_| unmade());
        let mut crc = Crc::new();
        crc.update(content);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).map_err(|_| unmade())?;
        let packed = encoder.finish().map_err(|_| unmade())?;
        let at = size(self.bytes.len())?;
        let mut common = Vec::new();
        // Version 2.0; names in UTF-8 (bit 11); deflate; no time.
        for number in [20u16, 1 << 11, 8, 0, NO_DATE] {
            common.extend(number.to_le_bytes());
        }
        for number in [crc.sum(), size(packed.len())?, size(content.len())?] {
            common.extend(number.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).map_err(|_| unmade())?.to_le_bytes());
        common.extend(0u16.to_le_bytes());
        self.bytes.extend(0x0403_4b50u32.to_le_bytes());
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(packed);
        self.directory.extend(0x0201_4b50u32.to_le_bytes());
        self.directory.extend(20u16.to_le_bytes());
        self.directory.extend(&common);
        // No comment, first disk, no attributes.
        self.directory.extend([0u8; 10]);
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.entries = self.entries.checked_add(1).ok_or_else(unmade)?;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, Problem> {
        let size = |n: usize| u32::try_from(n).map_err(|_| unmade());
        let (at, length) = (size(self.bytes.len())?, size(self.directory.len())?);
        self.bytes.extend(&self.directory);
        self.bytes.extend(0x0605_4b50u32.to_le_bytes());
        self.bytes.extend([0u8; 4]);
        for _ in 0..2 {
            self.bytes.extend(self.entries.to_le_bytes());
        }
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend(0u16.to_le_bytes());
        Ok(self.bytes)
    }
}
