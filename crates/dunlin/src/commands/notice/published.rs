//! Whether a notice may be sent: what it says must hold against the plan, and it must be published where notices are.

use std::path::Path;

use dunlin_store::State;
use dunlin_tell::{Facts, Gate, NoticeSource};

use crate::cli::{Format, NoticeDates};
use crate::failure::{Failure, any_error};
use crate::output;
use crate::workspace::PlanFile;

/// Knows which notices are published.
#[async_trait::async_trait]
pub trait Published: Send + Sync {
    /// Whether this version, in this language and with exactly this text, is published; `None` where nobody publishes.
    async fn is_published(&self, notice: &NoticeSource) -> Result<Option<bool>, Failure>;
}

/// What the workspace's state says: texts that were handed in and published stand in `notice_versions`.
pub struct InState<'a>(pub &'a State);

#[async_trait::async_trait]
impl Published for InState<'_> {
    async fn is_published(&self, source: &NoticeSource) -> Result<Option<bool>, Failure> {
        let failed = |error: sqlx::Error| {
            Failure::State(dunlin_store::database_error("reading what is published", &error))
        };
        let pool = self.0.pool();
        let known: i64 = sqlx::query_scalar(
            "select count(*) from sqlite_master where type = 'table' and name = 'notice_versions'",
        )
        .fetch_one(pool)
        .await
        .map_err(failed)?;
        if known == 0 {
            return Ok(None);
        }
        let notice = &source.notice;
        let shown: i64 = sqlx::query_scalar(
            "select count(*) from notice_versions where notice = $1 and locale = $2 and version = $3 \
             and content = $4 and published_at is not null and withdrawn_at is null",
        )
        .bind(&notice.id)
        .bind(notice.locale.to_string())
        .bind(i64::from(notice.version))
        .bind(&source.text)
        .fetch_one(pool)
        .await
        .map_err(failed)?;
        Ok(Some(shown > 0))
    }
}

/// For letters that nobody gets: the gate alone decides.
pub struct OnlyLookedAt;

#[async_trait::async_trait]
impl Published for OnlyLookedAt {
    async fn is_published(&self, _: &NoticeSource) -> Result<Option<bool>, Failure> {
        Ok(None)
    }
}

/// Refuses a notice that must not be sent as it is.
///
/// # Errors
/// Its findings, printed, or that it is not published.
pub async fn may_send(
    dir: &Path,
    plan: &PlanFile,
    notices: &[NoticeSource],
    dates: &NoticeDates,
    published: &dyn Published,
    format: Format,
) -> Result<(), Failure> {
    for source in notices {
        let facts = Facts::of(&plan.plan, super::or_claimed(super::said(dates), source));
        let images = super::Workspace(dir);
        let findings = Gate { images: Some(&images), ..Gate::new(&facts) }.check(source);
        if any_error(&findings.items) {
            output::findings(&findings, format);
            let message = format!("{} must not be sent like this", source.file);
            return Err(Failure::usage(
                message,
                "`dunlin notice check` says what to mend; nobody was written to",
            ));
        }
        if published.is_published(source).await? == Some(false) {
            let message = format!("{} is not published in this version", source.file);
            return Err(Failure::usage(message, "publish it first: a letter leads to its page"));
        }
    }
    Ok(())
}
