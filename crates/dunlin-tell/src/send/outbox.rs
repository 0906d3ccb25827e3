//! A folder of `.eml` files with a page to look at them: for trying out, and where another program sends.
//!
//! A file is named by its Message-ID and appears whole or not at all, so that writing it again changes nothing.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use dunlin_ledger::{point, replace_file};

use super::error::SendError;
use super::letter::Letter;
use super::transport::{Courier, Mark, Outcome, Transport};

/// A folder of letters.
#[derive(Clone, Debug)]
pub struct Outbox {
    folder: PathBuf,
}

/// Letters that the page lists.
const LISTED: usize = 500;

impl Outbox {
    /// The folder, which is made.
    ///
    /// # Errors
    /// It cannot be.
    pub fn new(folder: &Path) -> Result<Outbox, SendError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        // Letters are addressed: the folder is its owner's alone.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(SendError::file(folder))?;
        Ok(Outbox { folder: folder.to_owned() })
    }

    fn path(&self, letter: &str) -> PathBuf {
        self.folder.join(format!("{letter}.eml"))
    }

    fn index(&self) -> Result<(), SendError> {
        let failed = || SendError::file(&self.folder);
        let mut letters = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            if path.extension().is_some_and(|extension| extension == "eml") {
                letters.push(path);
            }
        }
        letters.sort();
        let mut rows = String::new();
        for path in letters.iter().take(LISTED) {
            let bytes = std::fs::read(path).map_err(SendError::file(path))?;
            rows.push_str(&row(path, &bytes));
        }
        let more = letters.len().saturating_sub(LISTED);
        let more = if more > 0 { format!("<p>and {more} more</p>") } else { String::new() };
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
             <title>Outbox</title><style>{STYLE}</style></head><body><main><h1>Outbox</h1>\
             <p>{} letters that were not sent, but written here.</p>{rows}{more}</main></body></html>\n",
            letters.len()
        );
        let path = self.folder.join("index.html");
        replace_file(&path, html.as_bytes(), 0o600).map_err(SendError::file(&path))
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#fbfaf7;color:#1b1f24}\
main{max-width:44rem;margin:0 auto;padding:1.5rem}details{border-top:1px solid #e4e1da;padding:.75rem 0}\
summary{cursor:pointer}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,monospace}\
small{color:#5d6168}";

/// A letter on the page: its words as plain text, so that nothing in it is run or fetched.
fn row(path: &Path, bytes: &[u8]) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(letter) = mail_parser::MessageParser::default().parse(bytes) else {
        return format!("<p>{}: no letter</p>", escape(&name));
    };
    let to = letter.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default();
    let text = letter.body_text(0).unwrap_or_default();
    format!(
        "<details><summary>{} <small>to {}</small></summary><p><small><a href=\"{name}\">{name}</a></small></p><pre>{}</pre></details>",
        escape(letter.subject().unwrap_or_default()),
        escape(to),
        escape(&text),
        name = escape(&name),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[async_trait]
impl Transport for Outbox {
    fn name(&self) -> &'static str {
        "outbox"
    }

    fn courier(&self) -> Box<dyn Courier> {
        Box::new(self.clone())
    }

    async fn has(&self, letter: &str) -> Result<Option<bool>, SendError> {
        Ok(Some(self.path(letter).exists()))
    }

    async fn finished(&self) -> Result<(), SendError> {
        let outbox = self.clone();
        tokio::task::spawn_blocking(move || outbox.index()).await.map_err(|_| SendError::Defect)?
    }
}

#[async_trait]
impl Courier for Outbox {
    async fn carry(&mut self, letter: &Letter, _: &Mark<'_>) -> Result<Outcome, SendError> {
        let path = self.path(&letter.id);
        let bytes = letter.bytes.clone();
        let stopped = |_| SendError::Defect;
        let written = tokio::task::spawn_blocking(move || {
            point("tell::outbox.before_rename").map_err(stopped)?;
            replace_file(&path, &bytes, 0o600).map_err(SendError::file(&path))?;
            point("tell::outbox.after_rename").map_err(stopped)
        });
        written.await.map_err(|_| SendError::Defect)??;
        Ok(Outcome::Taken)
    }
}
