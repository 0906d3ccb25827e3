//! Rows that leave in batches: one access, one entry before each batch, and an end that comes within a second when the
//! right to see them ends.
//!
//! Not here: when that right ends, which is for whoever implements [`Allowance`].

use std::pin::Pin;
use std::sync::Arc;

use dunlin_ledger::Actor;
use futures::future::{Either, select};
use futures::{Stream, StreamExt};

use crate::open::{Shape, begin, enter_rows};
use crate::{AccessLog, Ask, ColumnInfo, LogFailed, Policy, Question, Refused, Sealed, Shown};

/// Some rows of a stream. It has no `Debug`: inside the seal it is customer data.
pub struct Batch {
    /// The values, in the order of the stream's columns; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// Names of the rows in their order, where they have some: keyed hashes or places, never values.
    pub names: Vec<String>,
}

/// The store failed while it was read. Says no more: a store's words may hold values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store failed while it was read")]
pub struct SourceFailed;

/// Batches of rows under seal.
pub struct SealedStream {
    /// The store's name in the plan.
    pub store: String,
    /// The table's label.
    pub table: String,
    /// The columns, in the order of the values.
    pub columns: Vec<ColumnInfo>,
    /// The batches.
    pub batches: Pin<Box<dyn Stream<Item = Result<Sealed<Batch>, SourceFailed>> + Send>>,
}

/// Why somebody may see no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// A code, e.g. `session_ended`, `person_blocked`, `grant_closed`.
    pub reason_code: String,
}

/// Whether somebody may still see what was opened.
#[async_trait::async_trait]
pub trait Allowance: Send + Sync {
    /// Asked before each batch leaves.
    async fn check(&self) -> Result<(), Ended>;
    /// Returns when it ends, at most a second after; it may be dropped and called again.
    async fn ended(&self) -> Ended;
}

/// Why a stream ended before its rows did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// The right to see them ended.
    #[error("this access was ended ({reason_code})")]
    Ended {
        /// Why, as a code.
        reason_code: String,
    },
    /// An entry could not be made durable.
    #[error(transparent)]
    Log(#[from] LogFailed),
    /// The store failed.
    #[error(transparent)]
    Source(#[from] SourceFailed),
}

/// Rows that somebody may see, batch by batch. Dropped half-way, its end is entered by whoever remembers open accesses.
pub struct OpenedStream {
    /// The access's id, as it stands in the ledger.
    pub access: String,
    /// The columns that are shown, each with its form.
    pub columns: Vec<(ColumnInfo, Shown)>,
    /// The names of the columns that stay hidden.
    pub hidden: Vec<String>,
    shape: Shape,
    sealed: SealedStream,
    log: Arc<dyn AccessLog>,
    allowance: Arc<dyn Allowance>,
    actor: Actor,
    left: Option<u64>,
    rows: u64,
    parts: u32,
    /// Whether its end is still to be entered.
    open: bool,
    /// Whether no more rows will leave.
    over: bool,
}

/// Opens a stream: the policy decides, `access_opened` is durable, then batches are drawn with [`OpenedStream::next`].
pub async fn open_stream(
    sealed: SealedStream,
    policy: &dyn Policy,
    log: Arc<dyn AccessLog>,
    allowance: Arc<dyn Allowance>,
    ask: &Ask,
    access: &str,
) -> Result<OpenedStream, Refused> {
    let about = Question { ask, store: &sealed.store, table: &sealed.table, columns: &sealed.columns };
    let shape = begin(&about, policy, &*log, access, true).await?;
    Ok(OpenedStream {
        access: access.to_owned(),
        columns: shape.columns.clone(),
        hidden: shape.hidden.clone(),
        left: shape.limit,
        shape,
        sealed,
        log,
        allowance,
        actor: ask.actor.clone(),
        rows: 0,
        parts: 0,
        open: true,
        over: false,
    })
}

impl OpenedStream {
    /// The next rows: their entry is durable, and the right to see them was looked at after they were read. After the
    /// last batch, and after an error, the access is closed and every further call gives `None`.
    pub async fn next(&mut self) -> Option<Result<Vec<Vec<Option<String>>>, Stopped>> {
        if self.over {
            return None;
        }
        let drawn = self.draw().await;
        self.over = !matches!(drawn, Ok(Some(_)));
        match drawn {
            Ok(Some(rows)) => Some(Ok(rows)),
            Ok(None) => self.end("done").await.err().map(|failed| Err(failed.into())),
            Err(stopped) => {
                let reason = match &stopped {
                    Stopped::Ended { reason_code } => reason_code.clone(),
                    Stopped::Log(_) => "log_failed".to_owned(),
                    Stopped::Source(_) => "store_failed".to_owned(),
                };
                // What stopped it is told first; an end that could not be entered is swept later.
                let _ = self.end(&reason).await;
                Some(Err(stopped))
            }
        }
    }

    async fn draw(&mut self) -> Result<Option<Vec<Vec<Option<String>>>>, Stopped> {
        if self.left == Some(0) {
            return Ok(None);
        }
        let over = |ended: Ended| Stopped::Ended { reason_code: ended.reason_code };
        let batch = match select(self.sealed.batches.next(), self.allowance.ended()).await {
            Either::Left((batch, _)) => batch,
            Either::Right((ended, _)) => return Err(over(ended)),
        };
        let Some(batch) = batch.transpose()? else { return Ok(None) };
        self.allowance.check().await.map_err(over)?;
        let Batch { mut rows, mut names } = batch.break_seal();
        if let Some(left) = &mut self.left {
            rows.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= rows.len() as u64;
        }
        names.truncate(rows.len());
        enter_rows(&*self.log, &self.actor, &self.access, self.parts, rows.len(), &names).await?;
        self.parts += 1;
        self.rows += rows.len() as u64;
        self.shape.apply(&mut rows);
        Ok(Some(rows))
    }

    async fn end(&mut self, reason: &str) -> Result<(), LogFailed> {
        self.log.closing(&self.actor, &self.access, self.rows, reason).await?;
        // Not before: dropped while the entry waits, the end is still owed.
        self.open = false;
        Ok(())
    }

    /// Ends it early, in order.
    pub async fn close(mut self) -> Result<(), LogFailed> {
        if self.open { self.end("done").await } else { Ok(()) }
    }
}

impl Drop for OpenedStream {
    fn drop(&mut self) {
        if self.open {
            self.log.dropped(&self.actor, &self.access, self.rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use dunlin_ledger::Body;
    use futures::executor::block_on;
    use futures::stream;

    use super::*;
    use crate::{Ask, MaskedOnly};

    #[derive(Default)]
    struct Log {
        seen: Mutex<Vec<String>>,
        broken: AtomicBool,
    }

    #[async_trait::async_trait]
    impl AccessLog for Log {
        async fn keep_text(&self, _: &str) -> Result<String, LogFailed> {
            Ok("00".to_owned())
        }

        async fn keep_rows(&self, _: &str, part: u32, names: &[String]) -> Result<(), LogFailed> {
            self.seen.lock().unwrap().push(format!("names {part} {}", names.join(" ")));
            Ok(())
        }

        async fn enter(&self, _: &Actor, body: Body) -> Result<(), LogFailed> {
            let said = match body {
                Body::AccessOpened { .. } => "opened".to_owned(),
                Body::AccessRows { count, .. } => format!("rows {count}"),
                Body::AccessClosed { rows, .. } => format!("closed {rows}"),
                _ => "denied".to_owned(),
            };
            if self.broken.load(Ordering::SeqCst) {
                return Err(LogFailed);
            }
            self.seen.lock().unwrap().push(said);
            Ok(())
        }

        fn dropped(&self, _: &Actor, access: &str, rows: u64) {
            self.seen.lock().unwrap().push(format!("dropped {access} {rows}"));
        }
    }

    /// Ends when the flag is set; who waits for the end is woken only when it is there already.
    #[derive(Default)]
    struct Until(AtomicBool);

    #[async_trait::async_trait]
    impl Allowance for Until {
        async fn check(&self) -> Result<(), Ended> {
            if self.0.load(Ordering::SeqCst) {
                return Err(Ended { reason_code: "session_ended".into() });
            }
            Ok(())
        }

        async fn ended(&self) -> Ended {
            if !self.0.load(Ordering::SeqCst) {
                futures::future::pending::<()>().await;
            }
            Ended { reason_code: "session_ended".into() }
        }
    }

    fn batch(n: usize) -> Result<Sealed<Batch>, SourceFailed> {
        let rows = vec![vec![Some("ana@example.com".to_owned())]; n];
        Ok(Sealed::seal(Batch { rows, names: (0..n).map(|i| format!("n{i}")).collect() }))
    }

    fn sealed<S>(batches: S) -> SealedStream
    where
        S: Stream<Item = Result<Sealed<Batch>, SourceFailed>> + Send + 'static,
    {
        let email = ColumnInfo { name: "email".into(), kind: Some("email".into()) };
        SealedStream {
            store: "s".into(),
            table: "t".into(),
            columns: vec![email],
            batches: Box::pin(batches),
        }
    }

    fn opened(log: &Arc<Log>, until: &Arc<Until>, sealed: SealedStream, limit: Option<u64>) -> OpenedStream {
        let ask = Ask { limit, ..Ask::masked(Actor::System) };
        let opened = block_on(open_stream(sealed, &MaskedOnly, log.clone(), until.clone(), &ask, "a1"));
        opened.unwrap_or_else(|_| panic!("allowed"))
    }

    fn seen(log: &Log) -> Vec<String> {
        log.seen.lock().unwrap().clone()
    }

    #[test]
    fn each_batch_is_entered_before_it_leaves_and_the_end_comes_by_itself() {
        let (log, until) = (Arc::new(Log::default()), Arc::new(Until::default()));
        let mut rows = opened(&log, &until, sealed(stream::iter([batch(2), batch(2), batch(2)])), Some(3));
        assert_eq!(seen(&log), ["opened"], "before anything is read");
        let first = block_on(rows.next()).unwrap().unwrap();
        assert_eq!(first, vec![vec![Some("a•••@e•••.com".to_owned())]; 2]);
        assert_eq!(seen(&log).last().unwrap(), "rows 2");
        assert_eq!(
            block_on(rows.next()).unwrap().unwrap().len(),
            1,
            "the limit is the access's, not the batch's"
        );
        assert!(block_on(rows.next()).is_none());
        assert!(block_on(rows.next()).is_none());
        drop(rows);
        assert_eq!(seen(&log), ["opened", "names 0 n0 n1", "rows 2", "names 1 n0", "rows 1", "closed 3"]);
    }

    #[test]
    fn whose_right_ends_gets_no_further_row_even_while_the_store_is_silent() {
        let (log, until) = (Arc::new(Log::default()), Arc::new(Until::default()));
        let silent = stream::iter([batch(2), batch(2)]).chain(stream::pending());
        let mut rows = opened(&log, &until, sealed(silent), None);
        block_on(rows.next()).unwrap().unwrap();
        until.0.store(true, Ordering::SeqCst);
        let stopped = block_on(rows.next()).unwrap();
        assert!(matches!(stopped, Err(Stopped::Ended { reason_code }) if reason_code == "session_ended"));
        assert!(block_on(rows.next()).is_none());
        drop(rows);
        assert_eq!(seen(&log), ["opened", "names 0 n0 n1", "rows 2", "closed 2"]);
        // The store says nothing at all.
        let mut rows = opened(&log, &until, sealed(stream::pending()), None);
        assert!(matches!(block_on(rows.next()), Some(Err(Stopped::Ended { .. }))));
    }

    #[test]
    fn dropped_half_way_or_with_a_broken_log_its_end_is_owed_and_no_row_leaves() {
        let (log, until) = (Arc::new(Log::default()), Arc::new(Until::default()));
        let mut rows = opened(&log, &until, sealed(stream::iter([batch(2), batch(2)])), None);
        block_on(rows.next()).unwrap().unwrap();
        drop(rows);
        assert_eq!(seen(&log).last().unwrap(), "dropped a1 2");
        let mut rows = opened(&log, &until, sealed(stream::iter([batch(2), batch(2)])), None);
        log.broken.store(true, Ordering::SeqCst);
        assert!(matches!(block_on(rows.next()), Some(Err(Stopped::Log(_)))));
        log.broken.store(false, Ordering::SeqCst);
        assert!(block_on(rows.next()).is_none(), "what broke stays shut");
        drop(rows);
        assert_eq!(seen(&log).last().unwrap(), "dropped a1 0");
    }
}
