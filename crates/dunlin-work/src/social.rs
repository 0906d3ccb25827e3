//! What people say on tasks: comments with mentions, attachments, watching. Texts are in the state alone.

use std::sync::Arc;

use dunlin_ledger::{Body, Entry};
use dunlin_store::{Tx, new_id, now_us};
use serde::Serialize;
use serde_json::{Map, json};
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use utoipa::ToSchema;

use crate::error::{Result, WorkError, db};
use crate::markdown;
use crate::model::Task;
use crate::work::{By, Edit, Told, Work};

/// The largest attachment, in bytes.
pub const ATTACHMENT_MAX: usize = 10 * 1024 * 1024;

/// Something that somebody said on a task.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Comment {
    /// UUIDv7.
    pub id: String,
    /// The task.
    pub task: String,
    /// Who said it: a person's id.
    pub author: String,
    /// In Markdown.
    pub text: String,
    /// As safe HTML.
    pub html: String,
    /// Whom it mentions.
    pub mentions: Vec<String>,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
    /// When it was changed last.
    pub edited_at: Option<i64>,
}

/// A file on a task, without its content.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Attachment {
    /// UUIDv7.
    pub id: String,
    /// The task.
    pub task: String,
    /// Who put it there.
    pub author: String,
    /// Its name.
    pub name: String,
    /// What it was said to be.
    pub media_type: String,
    /// How large.
    pub bytes: u64,
    /// SHA-256 of its content, hex.
    pub sha256: String,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
}

const COMMENT: &str = "select id, task, author, text, at, edited_at from work_comments";
const ATTACHMENT: &str = "select id, task, author, name, media_type, bytes, sha256, at from work_attachments";

fn comment(row: &SqliteRow) -> std::result::Result<Comment, sqlx::Error> {
    let text: String = row.try_get(3)?;
    Ok(Comment {
        id: row.try_get(0)?,
        task: row.try_get(1)?,
        author: row.try_get(2)?,
        html: markdown::html(&text),
        mentions: markdown::mentions(&text),
        text,
        at: row.try_get(4)?,
        edited_at: row.try_get(5)?,
    })
}

fn attachment(row: &SqliteRow) -> std::result::Result<Attachment, sqlx::Error> {
    Ok(Attachment {
        id: row.try_get(0)?,
        task: row.try_get(1)?,
        author: row.try_get(2)?,
        name: row.try_get(3)?,
        media_type: row.try_get(4)?,
        bytes: row.try_get::<i64, _>(5)? as u64,
        sha256: row.try_get(6)?,
        at: row.try_get(7)?,
    })
}

fn check_text(text: &str) -> Result<()> {
    if text.trim().is_empty() || text.len() > 20_000 {
        return Err(WorkError::invalid("`text`", "say something, in at most 20,000 bytes"));
    }
    Ok(())
}

impl Work {
    /// The comments of a task, the oldest first.
    pub async fn comments(&self, task: &str) -> Result<Vec<Comment>> {
        let sql =
            sqlx::AssertSqlSafe(format!("{COMMENT} where task = $1 and deleted_at is null order by at, id"));
        let failed = db("reading comments");
        let rows = sqlx::query(sql).bind(task).fetch_all(self.state().pool()).await.map_err(&failed)?;
        rows.iter().map(comment).collect::<std::result::Result<_, _>>().map_err(failed)
    }

    /// One comment.
    pub async fn comment(&self, id: &str) -> Result<Comment> {
        let sql = sqlx::AssertSqlSafe(format!("{COMMENT} where id = $1 and deleted_at is null"));
        let failed = db("reading a comment");
        let row = sqlx::query(sql).bind(id).fetch_optional(self.state().pool()).await.map_err(&failed)?;
        comment(&row.ok_or(WorkError::Unknown("comment"))?).map_err(failed)
    }

    /// Says something. Whom it mentions watch the task from then on.
    pub async fn say(&self, by: &By, task: &str, text: &str) -> Result<Comment> {
        check_text(text)?;
        let known = self.task(task)?;
        let id = new_id();
        {
            let _turn = self.turn().await;
            let mut tx = self.state().begin().await?;
            sqlx::query("insert into work_comments (id, task, author, text, at) values ($1, $2, $3, $4, $5)")
                .bind(&id)
                .bind(task)
                .bind(&by.person)
                .bind(text)
                .bind(now_us())
                .execute(tx.connection())
                .await
                .map_err(db("keeping a comment"))?;
            entered(&mut tx, by, &id, text.as_bytes()).await?;
            tx.commit().await?;
            self.count(task, 1, 0);
        }
        self.told_of(by, task);
        let new: Vec<String> =
            markdown::mentions(text).into_iter().filter(|p| !known.watchers.contains(p)).collect();
        if !new.is_empty() {
            self.watch_for(by, &known, new).await?;
        }
        self.comment(&id).await
    }

    async fn watch_for(&self, by: &By, task: &Arc<Task>, new: Vec<String>) -> Result<()> {
        let mut watchers = task.watchers.clone();
        watchers.extend(new);
        watchers.truncate(200);
        let set = Map::from_iter([("watchers".to_owned(), json!(watchers))]);
        self.edit(by, "mention", vec![Edit { id: task.id.clone(), set, version: None }]).await.map(|_| ())
    }

    /// Changes one's own comment; an empty text deletes it.
    pub async fn resay(&self, by: &By, id: &str, text: Option<&str>) -> Result<()> {
        let old = self.comment(id).await?;
        if old.author != by.person {
            return Err(WorkError::Forbidden("this comment is somebody else's"));
        }
        {
            let _turn = self.turn().await;
            let mut tx = self.state().begin().await?;
            let query = match text {
                Some(text) => {
                    check_text(text)?;
                    sqlx::query("update work_comments set text = $1, edited_at = $2 where id = $3").bind(text)
                }
                // What is deleted is gone, not hidden.
                None => {
                    sqlx::query("update work_comments set text = $1, deleted_at = $2 where id = $3").bind("")
                }
            };
            let done = query.bind(now_us()).bind(id).execute(tx.connection()).await;
            done.map_err(db("changing a comment"))?;
            entered(&mut tx, by, id, text.unwrap_or_default().as_bytes()).await?;
            tx.commit().await?;
            if text.is_none() {
                self.count(&old.task, -1, 0);
            }
        }
        self.told_of(by, &old.task);
        Ok(())
    }

    /// The attachments of a task.
    pub async fn attachments(&self, task: &str) -> Result<Vec<Attachment>> {
        let sql = sqlx::AssertSqlSafe(format!("{ATTACHMENT} where task = $1 order by at, id"));
        let failed = db("reading attachments");
        let rows = sqlx::query(sql).bind(task).fetch_all(self.state().pool()).await.map_err(&failed)?;
        rows.iter().map(attachment).collect::<std::result::Result<_, _>>().map_err(failed)
    }

    /// One attachment.
    pub async fn attachment(&self, id: &str) -> Result<Attachment> {
        let sql = sqlx::AssertSqlSafe(format!("{ATTACHMENT} where id = $1"));
        let failed = db("reading an attachment");
        let row = sqlx::query(sql).bind(id).fetch_optional(self.state().pool()).await.map_err(&failed)?;
        attachment(&row.ok_or(WorkError::Unknown("attachment"))?).map_err(failed)
    }

    /// Its content.
    pub async fn attachment_bytes(&self, id: &str) -> Result<Vec<u8>> {
        let found = sqlx::query_scalar("select content from work_attachments where id = $1")
            .bind(id)
            .fetch_optional(self.state().pool())
            .await;
        found.map_err(db("reading an attachment"))?.ok_or(WorkError::Unknown("attachment"))
    }

    /// Puts a file on a task.
    pub async fn attach(
        &self,
        by: &By,
        task: &str,
        name: &str,
        media_type: &str,
        content: &[u8],
    ) -> Result<Attachment> {
        self.task(task)?;
        if content.len() > ATTACHMENT_MAX {
            return Err(WorkError::TooMuch("an attachment has at most 10 MB"));
        }
        let name = file_name(name);
        let id = new_id();
        {
            let _turn = self.turn().await;
            let mut tx = self.state().begin().await?;
            sqlx::query(
                "insert into work_attachments (id, task, author, name, media_type, bytes, sha256, content, at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(&id)
            .bind(task)
            .bind(&by.person)
            .bind(&name)
            .bind(media_type.chars().filter(char::is_ascii_graphic).take(100).collect::<String>())
            .bind(content.len() as i64)
            .bind(hex::encode(Sha256::digest(content)))
            .bind(content)
            .bind(now_us())
            .execute(tx.connection())
            .await
            .map_err(db("keeping an attachment"))?;
            entered(&mut tx, by, &id, content).await?;
            tx.commit().await?;
            self.count(task, 0, 1);
        }
        self.told_of(by, task);
        self.attachment(&id).await
    }

    /// Takes a file away.
    pub async fn detach(&self, by: &By, id: &str) -> Result<()> {
        let old = self.attachment(id).await?;
        {
            let _turn = self.turn().await;
            let mut tx = self.state().begin().await?;
            let done = sqlx::query("delete from work_attachments where id = $1")
                .bind(id)
                .execute(tx.connection())
                .await;
            done.map_err(db("deleting an attachment"))?;
            entered(&mut tx, by, id, b"").await?;
            tx.commit().await?;
            self.count(&old.task, 0, -1);
        }
        self.told_of(by, &old.task);
        Ok(())
    }

    /// Begins or ends to watch a task.
    pub async fn watch(&self, by: &By, task: &str, on: bool) -> Result<()> {
        let known = self.task(task)?;
        let mut watchers = known.watchers.clone();
        watchers.retain(|w| *w != by.person);
        if on {
            watchers.push(by.person.clone());
        }
        let set = Map::from_iter([("watchers".to_owned(), json!(watchers))]);
        self.edit(by, "watch", vec![Edit { id: task.to_owned(), set, version: None }]).await.map(|_| ())
    }

    fn count(&self, id: &str, comments: i32, attachments: i32) {
        self.with(|board| {
            let Some(task) = board.task(id).cloned() else { return };
            let mut task = Task::clone(&task);
            task.comments = task.comments.saturating_add_signed(comments);
            task.attachments = task.attachments.saturating_add_signed(attachments);
            board.put(Arc::new(task));
        });
    }

    fn told_of(&self, by: &By, id: &str) {
        let Ok(task) = self.task(id) else { return };
        self.tell(Told::Task {
            task: id.to_owned(),
            version: Some(task.version),
            by: by.person.clone(),
            change: None,
            people: task.people(),
        });
    }
}

/// That something was said or attached is entered; what, is not.
async fn entered(tx: &mut Tx, by: &By, id: &str, content: &[u8]) -> Result<()> {
    let mut salt = [0u8; 16];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut salt);
    let root = blake3::Hasher::new().update(&salt).update(content).finalize().to_hex().to_string();
    let body = Body::WorkChanged { change: id.to_owned(), tasks: 1, root };
    Ok(tx.enter(Entry { at: now_us(), actor: by.actor.clone(), body }).await?)
}

/// The last part of a name, without what a path or a header would read as something else.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = |c: &char| !c.is_control() && !matches!(c, '"' | '<' | '>' | ':' | '|' | '?' | '*');
    let name: String = last.chars().filter(plain).take(120).collect();
    let name = name.trim().trim_start_matches('.').to_owned();
    if name.is_empty() { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_lead_nowhere() {
        let cases = [
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\letter.pdf", "letter.pdf"),
            ("a\r\nb\".txt", "ab.txt"),
            ("..", "file"),
            ("", "file"),
            ("Brief an Ana.pdf", "Brief an Ana.pdf"),
        ];
        for (given, kept) in cases {
            assert_eq!(file_name(given), kept);
        }
    }
}
