//! The plan as text: parsed, with a place for every value. What it means is `resolve`'s business.

use std::fmt;

use toml_edit::Document;

use crate::finding::{Finding, Findings, Span};
use crate::plan::Plan;
use crate::resolve;

/// A plan file that is valid TOML.
pub struct PlanSource {
    document: Document<String>,
    file: String,
}

impl PlanSource {
    /// Parses the text of a plan.
    ///
    /// # Errors
    /// The first place at which the text is not TOML.
    pub fn parse(text: &str, file: &str) -> Result<PlanSource, Findings> {
        match Document::parse(text.to_owned()) {
            Ok(document) => Ok(PlanSource { document, file: file.to_owned() }),
            Err(error) => {
                let message = format!("this is not TOML: {}", error.message().trim().replace('\n', ", "));
                let span = error.span().map_or_else(Span::default, Span::from);
                let finding = Finding::error("plan-syntax", span, message)
                    .help("texts stand in quotes, lists in [ ], and a key may be given once");
                Err(Findings::new(file, text, vec![finding]))
            }
        }
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        self.document.raw()
    }

    /// The name of the file as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Reads the plan out of the text and checks it. A plan may carry warnings.
    ///
    /// # Errors
    /// Everything that is wrong, and the warnings, in the order of the text.
    pub fn resolve(&self) -> Result<Plan, Findings> {
        let (plan, log) = resolve::resolve(self.document.as_table());
        let findings = Findings::with_secrets(&self.file, self.text(), log.items, &log.secrets);
        if findings.has_errors() {
            return Err(findings);
        }
        Ok(Plan { findings: findings.items, ..plan })
    }
}

// The text may hold a password that `resolve` would refuse.
impl fmt::Debug for PlanSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanSource").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Parses and resolves a plan.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(text: &str, file: &str) -> Result<Plan, Findings> {
    PlanSource::parse(text, file)?.resolve()
}
