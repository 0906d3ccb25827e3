//! What the state keeps of a notice, as values, and how a row becomes one. Not here: the queries.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::StoreError;
use crate::error::db;

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeStatus {
    /// It waits for somebody else's approval.
    Submitted,
    /// Customers may read it.
    Published,
    /// It was published, and is no longer shown.
    Withdrawn,
    /// It was taken back before it was published.
    TakenBack,
}

impl NoticeStatus {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeStatus::Submitted => "submitted",
            NoticeStatus::Published => "published",
            NoticeStatus::Withdrawn => "withdrawn",
            NoticeStatus::TakenBack => "taken_back",
        }
    }
}

/// A text that was handed in. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeVersion {
    /// UUIDv7.
    pub id: String,
    /// The notice's name.
    pub notice: String,
    /// Its language.
    pub locale: String,
    /// Counts from 1 within name and language.
    pub version: u32,
    /// The file in the workspace that it came from.
    pub file: String,
    /// SHA-256 of the text, hex.
    pub sha256: String,
    /// The text, word for word.
    pub text: String,
    /// Fingerprint of the plan with which it was handed in.
    pub plan_fingerprint: String,
    /// Fingerprint of what the text states.
    pub facts_fingerprint: String,
    /// What it states, by subject.
    pub facts: BTreeMap<String, Vec<String>>,
    /// Who wrote it, as far as the server knows: ids of people, or local users.
    pub authors: Vec<String>,
    /// Who handed it in.
    pub submitted_by: String,
    /// When.
    pub submitted_at: i64,
    /// Fingerprint of the plan for which it was approved.
    pub approved_fingerprint: Option<String>,
    /// The linked data beside the page.
    pub json_ld: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Since when customers may read it.
    pub published_at: Option<i64>,
    /// Who withdrew it.
    pub withdrawn_by: Option<String>,
    /// When.
    pub withdrawn_at: Option<i64>,
}

impl NoticeVersion {
    /// Where it stands.
    pub fn status(&self) -> NoticeStatus {
        match (self.published_at, self.withdrawn_at) {
            (None, None) => NoticeStatus::Submitted,
            (None, Some(_)) => NoticeStatus::TakenBack,
            (Some(_), None) => NoticeStatus::Published,
            (Some(_), Some(_)) => NoticeStatus::Withdrawn,
        }
    }
}

/// A picture as it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeImage {
    /// As the text names it.
    pub path: String,
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How many people answered what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeAnswers {
    /// The notice.
    pub notice: String,
    /// Its version.
    pub version: u32,
    /// `keep` or `close`.
    pub choice: String,
    /// How many.
    pub people: u64,
}

pub(super) fn number(value: i64) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

pub(super) fn version(row: &SqliteRow) -> Result<NoticeVersion, StoreError> {
    let failed = db("reading a notice");
    let damaged = |_| StoreError::Damaged("a notice");
    let (facts, authors): (String, String) =
        (row.try_get("facts").map_err(&failed)?, row.try_get("authors").map_err(&failed)?);
    let read = || {
        Ok(NoticeVersion {
            id: row.try_get("id")?,
            notice: row.try_get("notice")?,
            locale: row.try_get("locale")?,
            version: number(row.try_get("version")?),
            file: row.try_get("file")?,
            sha256: row.try_get("sha256")?,
            text: row.try_get("content")?,
            plan_fingerprint: row.try_get("plan_fingerprint")?,
            facts_fingerprint: row.try_get("facts_fingerprint")?,
            facts: BTreeMap::new(),
            authors: Vec::new(),
            submitted_by: row.try_get("submitted_by")?,
            submitted_at: row.try_get("submitted_at")?,
            approved_fingerprint: row.try_get("approved_fingerprint")?,
            json_ld: row.try_get("json_ld")?,
            approved_by: row.try_get("approved_by")?,
            published_at: row.try_get("published_at")?,
            withdrawn_by: row.try_get("withdrawn_by")?,
            withdrawn_at: row.try_get("withdrawn_at")?,
        })
    };
    let version: NoticeVersion = read().map_err(&failed)?;
    let facts = serde_json::from_str(&facts).map_err(damaged)?;
    Ok(NoticeVersion { facts, authors: serde_json::from_str(&authors).map_err(damaged)?, ..version })
}
