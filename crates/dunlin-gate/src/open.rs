//! The only way out of a seal: ask the policy, make the entry durable, then hand the rows over.
//!
//! Not here: what the policy decides and how an entry becomes durable; rows that come in batches are in `stream`.

use std::borrow::Cow;

use dunlin_ledger::{Actor, Body};

use crate::log::mask_of;
use crate::{
    AccessLog, Ask, ColumnInfo, Decision, Denial, LogFailed, Mask, Opening, Permit, Policy, Question, Rows,
    Sealed, Shown,
};

/// Why rows stay under seal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The policy says no.
    #[error("{}; {}", .0.reason, .0.help)]
    Denied(Denial),
    /// The entry could not be made durable.
    #[error(transparent)]
    Log(#[from] LogFailed),
}

/// Rows that somebody may see, in the form that was decided. It has no `Debug`.
pub struct Opened {
    /// The access's id, as it stands in the ledger.
    pub access: String,
    /// The store's name in the plan.
    pub store: String,
    /// The table's label.
    pub table: String,
    /// The columns that are shown.
    pub columns: Vec<ColumnInfo>,
    /// How the values of each are shown.
    pub shown: Vec<Shown>,
    /// The names of the columns that stay hidden; the rows have no values of theirs.
    pub hidden: Vec<String>,
    /// The values, masked or clear; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    actor: Actor,
}

/// Opens sealed rows: the policy decides, `access_opened` and `access_rows` are durable, then the rows leave. A refusal
/// is entered as `access_denied`.
///
/// `access` is a new id for this access; the caller ends with [`Opened::close`] once the rows are shown.
pub async fn open(
    sealed: Sealed<Rows>,
    policy: &dyn Policy,
    log: &dyn AccessLog,
    ask: &Ask,
    access: &str,
) -> Result<Opened, Refused> {
    let rows = sealed.break_seal();
    let about = Question { ask, store: &rows.store, table: &rows.table, columns: &rows.columns };
    let shape = begin(&about, policy, log, access, false).await?;
    let mut values = rows.rows;
    values.truncate(shape.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)));
    let names = &ask.row_names[..ask.row_names.len().min(values.len())];
    enter_rows(log, &ask.actor, access, 0, values.len(), names).await?;
    shape.apply(&mut values);
    let (columns, shown) = shape.columns.into_iter().unzip();
    Ok(Opened {
        access: access.to_owned(),
        store: rows.store,
        table: rows.table,
        columns,
        shown,
        hidden: shape.hidden,
        rows: values,
        actor: ask.actor.clone(),
    })
}

/// What was decided, in the form in which rows are cut to it.
pub(crate) struct Shape {
    /// The columns that are shown, in their order.
    pub(crate) columns: Vec<(ColumnInfo, Shown)>,
    /// The names of the others.
    pub(crate) hidden: Vec<String>,
    /// The most rows of the whole access.
    pub(crate) limit: Option<u64>,
    /// What becomes of each column of the sealed rows.
    fates: Vec<Fate>,
}

#[derive(Clone, Copy)]
enum Fate {
    Drop,
    Mask(Mask),
    Keep,
}

impl Shape {
    fn new(columns: &[ColumnInfo], permit: Permit, asked: Option<u64>) -> Shape {
        let limit = match (permit.limit, asked) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let mut shape = Shape { columns: Vec::new(), hidden: Vec::new(), limit, fates: Vec::new() };
        for (at, column) in columns.iter().enumerate() {
            // A column that the policy has said nothing of stays hidden.
            let shown = permit.columns.get(at).map_or(Shown::Hidden, |decided| decided.shown);
            shape.fates.push(match shown {
                Shown::Hidden => Fate::Drop,
                Shown::Masked => Fate::Mask(mask_of(column)),
                Shown::Clear => Fate::Keep,
            });
            match shown {
                Shown::Hidden => shape.hidden.push(column.name.clone()),
                _ => shape.columns.push((column.clone(), shown)),
            }
        }
        shape
    }

    /// Cuts rows to what was decided. A value beyond the known columns has no kind; it is masked whole rather than
    /// trusted.
    pub(crate) fn apply(&self, rows: &mut [Vec<Option<String>>]) {
        for row in rows {
            let mut fates = self.fates.iter().copied().chain(std::iter::repeat(Fate::Mask(Mask::Whole)));
            row.retain_mut(|value| match fates.next().unwrap_or(Fate::Drop) {
                Fate::Drop => false,
                Fate::Keep => true,
                Fate::Mask(mask) => {
                    *value = value.as_deref().map(|v| mask.apply(v));
                    true
                }
            });
        }
    }
}

/// Asks the policy; enters the refusal, or the beginning of the access.
pub(crate) async fn begin(
    about: &Question<'_>,
    policy: &dyn Policy,
    log: &dyn AccessLog,
    access: &str,
    streamed: bool,
) -> Result<Shape, Refused> {
    let ask = about.ask;
    let permit = match policy.decide(about).await {
        Decision::Allow(permit) => permit,
        Decision::Deny(denial) => return Err(deny(about, log, denial).await?),
    };
    let why = permit.columns.first().cloned();
    let shape = Shape::new(about.columns, permit, ask.limit);
    if shape.columns.is_empty() && !about.columns.is_empty() {
        let (code, sentence) = why.map_or_else(
            || (Cow::Borrowed("no_policy"), Cow::Borrowed("no policy shows any column of this table")),
            |w| (w.reason_code, w.sentence),
        );
        let help = Cow::Borrowed("ask the lead what you need to see");
        let denial = Denial { reason_code: code, reason: sentence, help, obligations: Vec::new() };
        return Err(deny(about, log, denial).await?);
    }
    let purpose_hash = match &ask.purpose_text {
        Some(text) => log.keep_text(text).await?,
        None => String::new(),
    };
    let opening = Opening {
        access,
        ask,
        store: about.store,
        table: about.table,
        columns: &shape.columns,
        purpose_hash: &purpose_hash,
        limit: shape.limit,
        streamed,
    };
    log.opening(&opening).await?;
    Ok(shape)
}

async fn deny(about: &Question<'_>, log: &dyn AccessLog, denial: Denial) -> Result<Refused, LogFailed> {
    let body = Body::AccessDenied {
        action: about.ask.act().as_str().to_owned(),
        store: about.store.to_owned(),
        table: about.table.to_owned(),
        reason_code: denial.reason_code.clone().into_owned(),
    };
    log.denied(about.ask, body).await?;
    Ok(Refused::Denied(denial))
}

/// Enters that rows are about to leave.
pub(crate) async fn enter_rows(
    log: &dyn AccessLog,
    actor: &Actor,
    access: &str,
    part: u32,
    count: usize,
    names: &[String],
) -> Result<(), LogFailed> {
    if !names.is_empty() {
        log.keep_rows(access, part, names).await?;
    }
    let root = dunlin_ledger::root_of(names);
    log.enter(actor, Body::AccessRows { access: access.to_owned(), count: count as u64, root }).await
}

impl Opened {
    /// Enters the end of this access. Without it the ledger shows an access that never ended.
    pub async fn close(self, log: &dyn AccessLog) -> Result<(), LogFailed> {
        log.closing(&self.actor, &self.access, self.rows.len() as u64, "done").await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::executor::block_on;

    use super::*;
    use crate::{ColumnDecision, MaskedOnly};

    /// A log that works `good` times.
    struct Flaky {
        good: usize,
        seen: Mutex<Vec<String>>,
    }

    impl Flaky {
        fn note(&self, what: &str) -> Result<(), LogFailed> {
            let mut seen = self.seen.lock().unwrap();
            if seen.len() == self.good {
                return Err(LogFailed);
            }
            seen.push(what.to_owned());
            Ok(())
        }
    }

    #[async_trait::async_trait]
    impl AccessLog for Flaky {
        async fn keep_text(&self, _: &str) -> Result<String, LogFailed> {
            self.note("text").map(|()| "00".to_owned())
        }

        async fn keep_rows(&self, _: &str, _: u32, names: &[String]) -> Result<(), LogFailed> {
            self.note(&format!("{} names", names.len()))
        }

        async fn enter(&self, _: &Actor, body: Body) -> Result<(), LogFailed> {
            match body {
                Body::AccessOpened { limit, .. } => self.note(&format!("opened {limit:?}")),
                Body::AccessRows { count, .. } => self.note(&format!("rows {count}")),
                Body::AccessDenied { reason_code, .. } => self.note(&format!("denied {reason_code}")),
                _ => self.note("closed"),
            }
        }
    }

    #[test]
    fn nothing_leaves_unless_everything_was_entered_before() {
        let column = ColumnInfo { name: "email".into(), kind: Some("email".into()) };
        let mut ask = Ask::clear(Actor::Local { user: "ana".into() }, "support_case", "ticket 1");
        ask.limit = Some(2);
        ask.row_names = vec!["n1".into(), "n2".into(), "n3".into()];
        for good in 0..=4 {
            let rows = vec![vec![Some("a@b.co".into())]; 3];
            let rows = Rows { store: "s".into(), table: "t".into(), columns: vec![column.clone()], rows };
            let log = Flaky { good, seen: Mutex::default() };
            let opened = block_on(open(Sealed::seal(rows), &MaskedOnly, &log, &ask, "a1"));
            let seen = log.seen.into_inner().unwrap();
            assert_eq!(seen, ["text", "opened Some(2)", "2 names", "rows 2"][..good]);
            match opened {
                Ok(opened) => assert_eq!((good, opened.rows.len()), (4, 2)),
                Err(refused) => assert_eq!(refused, Refused::Log(LogFailed)),
            }
        }
    }

    #[test]
    fn a_value_without_a_known_column_is_masked_whole() {
        let rows = Rows {
            store: "s".into(),
            table: "t".into(),
            columns: Vec::new(),
            rows: vec![vec![Some("value".into())]],
        };
        let log = Flaky { good: 9, seen: Mutex::default() };
        let ask = Ask::masked(Actor::System);
        let opened = block_on(open(Sealed::seal(rows), &MaskedOnly, &log, &ask, "a1"));
        let rows = opened.map(|o| o.rows).unwrap_or_default();
        assert_eq!(rows, [[Some("•••".to_owned())]]);
    }

    /// One form a column.
    struct Forms(Vec<Shown>, Option<u64>);

    #[async_trait::async_trait]
    impl Policy for Forms {
        async fn decide(&self, _: &Question<'_>) -> Decision {
            let column = |shown: &Shown| ColumnDecision {
                shown: *shown,
                reason_code: "test".into(),
                sentence: "A test.".into(),
            };
            Decision::Allow(Permit { columns: self.0.iter().map(column).collect(), limit: self.1 })
        }
    }

    fn three() -> Sealed<Rows> {
        let column = |name: &str, kind: &str| ColumnInfo { name: name.into(), kind: Some(kind.into()) };
        let row = vec![
            Some("ES".into()),
            Some("ana@example.com".into()),
            Some("hunter2".into()),
            Some("beyond".into()),
        ];
        Sealed::seal(Rows {
            store: "s".into(),
            table: "t".into(),
            columns: vec![
                column("country", "country"),
                column("email", "email"),
                column("pin", "credential"),
            ],
            rows: vec![row.clone(), row],
        })
    }

    #[test]
    fn each_column_leaves_in_its_own_form_and_a_hidden_one_not_at_all() {
        let log = Flaky { good: 9, seen: Mutex::default() };
        let policy = Forms(vec![Shown::Clear, Shown::Masked, Shown::Hidden], Some(1));
        let ask = Ask { limit: Some(7), ..Ask::masked(Actor::System) };
        let Ok(opened) = block_on(open(three(), &policy, &log, &ask, "a1")) else { panic!("allowed") };
        let shown = [Some("ES".to_owned()), Some("a•••@e•••.com".to_owned()), Some("•••".to_owned())];
        assert_eq!(opened.rows, [shown], "one row, without the pin, and what has no column is masked whole");
        assert_eq!(opened.hidden, ["pin"]);
        assert_eq!(log.seen.into_inner().unwrap(), ["opened Some(1)", "rows 1"]);
    }

    #[test]
    fn a_column_that_the_policy_forgot_is_hidden_and_when_all_are_nothing_opens() {
        let log = Flaky { good: 9, seen: Mutex::default() };
        let ask = Ask::masked(Actor::System);
        let opened = block_on(open(three(), &Forms(vec![Shown::Clear], None), &log, &ask, "a1"));
        assert_eq!(opened.map(|o| o.hidden).unwrap_or_default(), ["email", "pin"]);
        let refused = block_on(open(three(), &Forms(vec![Shown::Hidden; 3], None), &log, &ask, "a2"));
        assert!(matches!(refused, Err(Refused::Denied(_))));
        assert_eq!(log.seen.into_inner().unwrap(), ["opened None", "rows 2", "denied test"]);
    }

    #[test]
    fn a_refusal_that_cannot_be_entered_is_still_one() {
        let log = Flaky { good: 0, seen: Mutex::default() };
        let ask = Ask { clear: true, ..Ask::masked(Actor::System) };
        let refused = block_on(open(three(), &MaskedOnly, &log, &ask, "a1"));
        assert!(matches!(refused, Err(Refused::Log(LogFailed))));
    }
}
