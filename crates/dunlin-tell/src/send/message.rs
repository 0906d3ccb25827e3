//! A message of a notice as the state knows it: one for each way by which it goes out. Not here: its deliveries (`queue`).

use dunlin_store::StoreError;
use sqlx::Row;

use super::error::{SendError, db};
use crate::Word;
use crate::vocabulary::Stream;

/// Which message by which way; there is one of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageKey {
    /// The notice's name.
    pub notice: String,
    /// Its version.
    pub version: u32,
    /// Which of its messages: `before:30`.
    pub message: String,
    /// Its stream.
    pub stream: Stream,
    /// `smtp` or `outbox`.
    pub transport: &'static str,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// Its recipients are being read; nothing was sent.
    Gathering,
    /// Its recipients are fixed, and letters leave.
    Sending,
    /// Every letter has left, or will not.
    Done,
}

impl MessageState {
    /// Its word in the state and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            MessageState::Gathering => "gathering",
            MessageState::Sending => "sending",
            MessageState::Done => "done",
        }
    }
}

/// A message in the state.
#[derive(Clone, Debug)]
pub struct MessageRow {
    /// Its id.
    pub id: String,
    /// Which it is.
    pub notice: String,
    /// The notice's version.
    pub version: u32,
    /// Which of its messages.
    pub message: String,
    /// Its stream.
    pub stream: Stream,
    /// `smtp` or `outbox`.
    pub transport: String,
    /// How far it is.
    pub state: MessageState,
    /// Rows that the audience gave.
    pub rows_read: u64,
    /// Rows among them whose address had come before.
    pub duplicates: u64,
}

/// Reads a row of `tell_messages`.
pub(super) fn message(row: &sqlx::sqlite::SqliteRow) -> Result<MessageRow, SendError> {
    let failed = db("reading a message");
    let damaged = || SendError::State(StoreError::Damaged("a message of a notice"));
    let stream: String = row.try_get("stream").map_err(&failed)?;
    let state: String = row.try_get("state").map_err(&failed)?;
    let number = |name: &str| -> Result<u64, SendError> {
        let value: i64 = row.try_get(name).map_err(&failed)?;
        Ok(value.max(0) as u64)
    };
    Ok(MessageRow {
        id: row.try_get("id").map_err(&failed)?,
        notice: row.try_get("notice").map_err(&failed)?,
        version: u32::try_from(number("version")?).unwrap_or(0),
        message: row.try_get("message").map_err(&failed)?,
        stream: Stream::from_word(&stream).ok_or_else(damaged)?,
        transport: row.try_get("transport").map_err(&failed)?,
        state: match state.as_str() {
            "gathering" => MessageState::Gathering,
            "sending" => MessageState::Sending,
            "done" => MessageState::Done,
            _ => return Err(damaged()),
        },
        rows_read: number("rows_read")?,
        duplicates: number("duplicates")?,
    })
}
