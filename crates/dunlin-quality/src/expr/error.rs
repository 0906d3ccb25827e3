//! What is wrong with an expression. It speaks of the plan's own text, never of a row.

use datafusion_common::DataFusionError;
use datafusion_sql::sqlparser::parser::ParserError;

/// An expression that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// Where in the expression, as a byte offset.
    pub position: Option<usize>,
}

impl ExprError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, position: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn at(mut self, position: Option<usize>) -> Self {
        self.position = position;
        self
    }

    /// From an error of planning. At that time only the plan's text is known, so its words are safe to repeat.
    pub(crate) fn from_planning(error: DataFusionError, sql: &str) -> Self {
        match error.find_root() {
            DataFusionError::SQL(parser, _) => from_parser(parser, sql),
            DataFusionError::Plan(text) | DataFusionError::NotImplemented(text) => typed(text),
            DataFusionError::Collection(all) if !all.is_empty() => match all[0].find_root() {
                DataFusionError::Plan(text) => typed(text),
                _ => Self::new("this expression cannot be planned"),
            },
            // A constant part was computed and failed: a cast, an overflow, a division by zero.
            DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => Self::new(
                "a constant part of this expression cannot be computed",
            )
            .help("look for a division by zero, an overflow or a cast of a text that is not of the type"),
            _ => Self::new("this expression cannot be planned"),
        }
    }
}

fn typed(text: &str) -> ExprError {
    let error = ExprError::new(first_line(text));
    match error.message.starts_with("Cannot ") {
        true => {
            error.help("bring both sides to one type, for instance with `column::date` or `column::bigint`")
        }
        false => error,
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    line.strip_prefix("Error during planning: ").unwrap_or(line).to_owned()
}

fn from_parser(error: &ParserError, sql: &str) -> ExprError {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => {
            return ExprError::new("this expression is nested too deeply");
        }
    };
    let (message, place) = match text.rfind(" at Line: ") {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let position = place.and_then(|place| {
        let mut numbers =
            place.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).map(str::parse::<u64>);
        Some(offset_of(sql, numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    ExprError::new(message.trim()).at(position)
}

/// The byte offset of a line and column, both counted from 1, columns in characters.
pub(crate) fn offset_of(sql: &str, line: u64, column: u64) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match sql[start..].find('\n') {
            Some(at) => start += at + 1,
            None => return sql.len(),
        }
    }
    let skip = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    sql[start..].char_indices().nth(skip).map_or(sql.len(), |(at, _)| start + at)
}
