//! What is wrong with a plan, where, and how to mend it. Rendering for a terminal is the binary's work;
//! the `Display` here is the plain form for logs and tests.

use std::fmt;

use serde::Serialize;

/// A byte range in the plan's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The length in bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether the range holds no byte.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Span {
        Span { start: range.start, end: range.end }
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The plan is refused.
    Error,
    /// The plan stands, but somebody should look.
    Warning,
    /// Good to know.
    Info,
}

impl Level {
    /// The word as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing to know about a plan. Its words come from the plan and never from customer data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it weighs.
    pub level: Level,
    /// A stable code, for example `plan-unknown-key`.
    pub rule: &'static str,
    /// The label of the table concerned (its target).
    pub table: Option<String>,
    /// The target column concerned.
    pub column: Option<String>,
    /// Where in the plan's text.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Finding {
    /// A finding of the given level, not yet placed.
    pub fn new(level: Level, rule: &'static str, message: impl Into<String>) -> Finding {
        Finding { level, rule, table: None, column: None, span: None, message: message.into(), help: None }
    }

    /// An error at a place in the text.
    pub fn error(rule: &'static str, span: Span, message: impl Into<String>) -> Finding {
        Finding { span: Some(span), ..Finding::new(Level::Error, rule, message) }
    }

    /// A warning at a place in the text.
    pub fn warning(rule: &'static str, span: Span, message: impl Into<String>) -> Finding {
        Finding { span: Some(span), ..Finding::new(Level::Warning, rule, message) }
    }

    /// The finding as `dunlin check --format json` prints it; `text` is what the span points into.
    pub fn to_json(&self, file: &str, text: &str) -> serde_json::Value {
        let place = self.span.map(|span| line_col(text, span));
        serde_json::json!({
            "level": self.level,
            "rule": self.rule,
            "table": self.table,
            "column": self.column,
            "file": file,
            "line": place.map(|(line, _)| line),
            "col": place.map(|(_, column)| column),
            "message": self.message,
            "help": self.help,
        })
    }

    /// The same finding with a way to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = Some(help.into());
        self
    }

    /// The same finding, for this table.
    #[must_use]
    pub fn in_table(mut self, label: impl Into<String>) -> Finding {
        self.table = Some(label.into());
        self
    }

    /// The same finding, for this target column.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Finding {
        self.column = Some(column.into());
        self
    }
}

/// Everything found in one plan file, in the order of the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Findings {
    /// The name of the file, as it was given.
    pub file: String,
    /// The text the spans point into; passwords in URLs are overwritten with `*`, byte for byte.
    pub text: String,
    /// What was found.
    pub items: Vec<Finding>,
}

impl Findings {
    /// Findings over a text, sorted by place; passwords inside URLs are blanked.
    pub fn new(file: impl Into<String>, text: &str, items: Vec<Finding>) -> Findings {
        Findings::with_secrets(file, text, items, &[])
    }

    /// The same, with the places of secrets that are known from reading.
    pub(crate) fn with_secrets(
        file: impl Into<String>,
        text: &str,
        mut items: Vec<Finding>,
        secrets: &[Span],
    ) -> Findings {
        items.sort_by_key(|item| item.span.map_or(usize::MAX, |span| span.start));
        let text = crate::redact::blank_spans(&crate::redact::blank_passwords(text), secrets);
        Findings { file: file.into(), text, items }
    }

    /// Line and column of the start of a span, both from 1; the column counts characters.
    pub fn line_col(&self, span: Span) -> (usize, usize) {
        line_col(&self.text, span)
    }

    /// Whether any item is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|item| item.level == Level::Error)
    }

    fn write_item(&self, f: &mut fmt::Formatter<'_>, item: &Finding) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(span) = item.span {
            let (line, column) = self.line_col(span);
            write!(f, ":{line}:{column}")?;
        }
        writeln!(f, ": {}[{}]: {}", item.level, item.rule, item.message)?;
        if let Some(span) = item.span {
            let (line, column) = self.line_col(span);
            let text = self.text.lines().nth(line - 1).unwrap_or_default();
            let marked = self.text.get(span.start..span.end).unwrap_or_default();
            let width = marked.lines().next().unwrap_or_default().chars().count().max(1);
            writeln!(f, "  | {text}\n  | {}{}", " ".repeat(column - 1), "^".repeat(width))?;
        }
        if let Some(help) = &item.help {
            writeln!(f, "  help: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.iter().try_for_each(|item| self.write_item(f, item))
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Findings").field("file", &self.file).field("items", &self.items).finish()
    }
}

impl std::error::Error for Findings {}

/// Line and column of the start of a span in a text, both from 1; the column counts characters.
pub fn line_col(text: &str, span: Span) -> (usize, usize) {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let before = &text[..start];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before[line_start..].chars().count() + 1)
}

/// What has been found so far, with the table it is being found in.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) items: Vec<Finding>,
    pub(crate) table: Option<String>,
    /// Stores that the plan names but that could not be read; they have findings of their own.
    pub(crate) refused_stores: Vec<String>,
    /// Where refused URLs stand that may hold a password.
    pub(crate) secrets: Vec<Span>,
}

impl Log {
    pub(crate) fn push(&mut self, mut finding: Finding) {
        if finding.table.is_none() {
            finding.table.clone_from(&self.table);
        }
        self.items.push(finding);
    }
}

/// The known word nearest to a mistyped one, when one is near.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        // "saturday" means "sat", and "org" means "organisation".
        let shortened = word.len().min(candidate.len()) >= 3
            && (word.starts_with(&candidate) || candidate.starts_with(word.as_str()));
        let distance = strsim::damerau_levenshtein(&word, &candidate);
        let near = distance <= (candidate.chars().count() / 3).clamp(1, 4);
        (near || shortened).then_some((!near, distance))
    };
    let near = known.into_iter().filter_map(|candidate| Some((distance(candidate)?, candidate)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// "did you mean" when a known word is near, otherwise all of them.
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let known: Vec<_> = known.into_iter().map(|word| format!("`{word}`")).collect();
            format!("known here: {}", known.join(", "))
        }
    }
}
