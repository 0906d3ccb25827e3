//! `dunlin notice bounces`: reads what came back, from a file, an mbox, a folder (Maildir or files), or a pipe.

use std::io::Read;
use std::path::{Path, PathBuf};

use dunlin_store::Actor;
use dunlin_tell::send::{Returns, read_returned, take_back};

use super::super::OK;
use super::whom::{Desk, failed};
use crate::cli::Format;
use crate::failure::Failure;
use crate::output;

/// The longest message that is read: a report returns a letter at most.
const LONGEST: u64 = 10 * 1024 * 1024;

/// Reads messages and notes what they report.
pub async fn bounces(dir: &Path, from: &Path, format: Format) -> Result<u8, Failure> {
    let desk = Desk::open(dir).await?;
    let mut total = Returns::default();
    if from == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes);
        read.map_err(|e| Failure::file(from, &e))?;
        note(&desk, &bytes, &mut total).await?;
    } else {
        for path in files(from)? {
            let file = std::fs::File::open(&path).map_err(|e| Failure::file(&path, &e))?;
            let mut bytes = Vec::new();
            file.take(LONGEST).read_to_end(&mut bytes).map_err(|e| Failure::file(&path, &e))?;
            note(&desk, &bytes, &mut total).await?;
        }
    }
    desk.workspace.integrate().await?;
    if format == Format::Json {
        output::json(&total);
    } else {
        output::line(&format!(
            "{} read: {} bounced, {} complained, {} known to have arrived, {} addresses silenced, {} without effect, {} no reports of our letters",
            total.read,
            total.bounced,
            total.complained,
            total.received,
            total.suppressed,
            total.unchanged,
            total.unknown
        ));
    }
    Ok(OK)
}

async fn note(desk: &Desk, bytes: &[u8], total: &mut Returns) -> Result<(), Failure> {
    for message in messages(bytes) {
        take_back(&desk.queue, &read_returned(&message), &Actor::local(), total).await.map_err(failed)?;
    }
    Ok(())
}

/// The messages of a file: one, or those of an mbox, whose lines `From ` divide it.
fn messages(bytes: &[u8]) -> Vec<Vec<u8>> {
    if !bytes.starts_with(b"From ") {
        return vec![bytes.to_vec()];
    }
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut after_blank = true;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if after_blank && line.starts_with(b"From ") {
            found.push(Vec::new());
        } else if let Some(message) = found.last_mut() {
            // `>From ` at the beginning of a line was `From ` before it went into the mbox.
            let quoted = line.starts_with(b">From ");
            message.extend_from_slice(if quoted { &line[1..] } else { line });
        }
        after_blank = line.iter().all(u8::is_ascii_whitespace);
    }
    found
}

/// The file, or the files of a folder; of a Maildir those in `new` and `cur`.
fn files(from: &Path) -> Result<Vec<PathBuf>, Failure> {
    let kind = std::fs::metadata(from).map_err(|e| Failure::file(from, &e))?;
    if kind.is_file() {
        return Ok(vec![from.to_owned()]);
    }
    let is_maildir = from.join("cur").is_dir() && from.join("new").is_dir();
    let folders = if is_maildir { vec![from.join("new"), from.join("cur")] } else { vec![from.to_owned()] };
    let mut found = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(&folder).map_err(|e| Failure::file(&folder, &e))? {
            let path = entry.map_err(|e| Failure::file(&folder, &e))?.path();
            if path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
