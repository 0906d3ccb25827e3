//! A notice that must precede a move is a gate of that move: no data moves while it is not published, or while what is
//! published says something else than the plan.

use std::path::Path;

use dunlin_ledger::{Actor, Body, Entry};
use dunlin_plan::Plan;
use dunlin_store::{NoticeStatus, NoticeVersion, State, StoreError, now_us};
use dunlin_tell::{Dates, Facts, Gate, When};

use super::read;

/// A notice of the plan that stands before the move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTold {
    /// Its name, or its file's where that cannot be read; a code.
    pub notice: String,
    /// Its file, as the plan names it.
    pub file: String,
    /// Why.
    pub why: WhyNot,
}

/// Why a notice stands before the move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNot {
    /// Nobody has published it.
    Unpublished,
    /// Its file is not there, or is not a notice.
    Unreadable,
    /// What is published differs from the plan; both sides of each difference.
    Differs(Vec<String>),
}

impl std::fmt::Display for NotTold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.why {
            WhyNot::Unpublished => {
                write!(f, "the notice `{}` must be published before data moves", self.file)
            }
            WhyNot::Unreadable => write!(f, "the plan's notice `{}` cannot be read as one", self.file),
            WhyNot::Differs(sides) => {
                write!(f, "customers were told another thing than the plan does (`{}`)", self.file)?;
                sides.iter().try_for_each(|side| write!(f, "; {side}"))
            }
        }
    }
}

/// The notices of the plan that stand before the move: those with a day of publication, or with messages before it.
///
/// # Errors
/// The state failed.
pub async fn not_told(state: &State, dir: &Path, plan: &Plan) -> Result<Vec<NotTold>, StoreError> {
    let mut found = Vec::new();
    for named in &plan.notices {
        let source =
            read(dir, &named.file).ok().and_then(|file| dunlin_tell::parse(&file.text, &file.path).ok());
        let versions = state.notices_of_file(&named.file).await?;
        let shown = versions.into_iter().filter(|one| one.status() == NoticeStatus::Published);
        let shown = shown.max_by_key(|one| one.version);
        let stands = |notice: String, why: WhyNot| NotTold { notice, file: named.file.clone(), why };
        match (shown, source) {
            (Some(version), _) => {
                let sides = differs(&version, plan);
                if !sides.is_empty() {
                    found.push(stands(version.notice, WhyNot::Differs(sides)));
                }
            }
            (None, None) => found.push(stands(code(&named.file), WhyNot::Unreadable)),
            (None, Some(source)) => {
                let before = source.notice.messages.iter().any(|message| message.when == When::Before);
                if named.publish.is_some() || before {
                    found.push(stands(source.notice.id, WhyNot::Unpublished));
                }
            }
        }
    }
    Ok(found)
}

/// Both sides of each difference between what was published and what the plan says.
fn differs(version: &NoticeVersion, plan: &Plan) -> Vec<String> {
    let Ok(source) = dunlin_tell::parse(&version.text, &version.file) else { return Vec::new() };
    let facts = Facts::of(plan, Dates::default().or_claimed(source.notice.claims.as_ref()));
    let found = Gate::new(&facts).check(&source).items.into_iter();
    found.filter(|finding| finding.rule == "tell-facts-differ").map(|finding| finding.message).collect()
}

/// A file's name as a code of the ledger.
fn code(file: &str) -> String {
    let plain =
        |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c.to_ascii_lowercase() } else { '-' };
    let code: String = file.chars().map(plain).take(64).collect();
    if code.is_empty() { "notice".to_owned() } else { code }
}

/// Enters that data moves although these notices stand before it, and why.
///
/// # Errors
/// The state failed.
pub async fn skipped(
    state: &State,
    plan: &Plan,
    which: &[NotTold],
    (category, reason): (&str, &str),
    actor: &Actor,
) -> Result<(), StoreError> {
    let mut tx = state.begin().await?;
    for one in which {
        let reason_hash = tx.keep_text(reason).await?;
        let body = Body::NoticeSkipped {
            run: plan.fingerprint().to_string(),
            notice: one.notice.clone(),
            reason_category: category.to_owned(),
            reason_hash,
        };
        tx.enter(Entry { at: now_us(), actor: actor.clone(), body }).await?;
    }
    tx.commit().await
}
