//! How a message fares: numbers over all recipients, never one of them. By language only where a group is large enough
//! that nobody in it can be recognised.

use serde::Serialize;
use sqlx::{Row, SqliteConnection};

use super::error::{SendError, db};
use super::message::MessageRow;
use super::queue::Queue;

/// The fewest recipients that a figure of a group is shown for.
pub const GROUP_MIN: u64 = 5;

/// The figures of a message. recipients + invalid + duplicates = rows of the audience, and
/// recipients = sent + bounced + complained + failed + suppressed + uncertain + due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Taken over by the mail server, and nothing has come back.
    pub sent: u64,
    /// Sent, and come back.
    pub bounced: u64,
    /// Sent, and complained of.
    pub complained: u64,
    /// Refused, or given up.
    pub failed: u64,
    /// Not written to: unsubscribed, complained, or no such mailbox.
    pub suppressed: u64,
    /// Handed over without an answer.
    pub uncertain: u64,
    /// To be sent.
    pub due: u64,
    /// Rows of the audience without an address to write to.
    pub invalid: u64,
    /// Those by reason.
    pub invalid_by_reason: std::collections::BTreeMap<String, u64>,
    /// By language, where the group is not too small.
    pub by_locale: Vec<LocaleFigure>,
}

/// The figures of a language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocaleFigure {
    /// The language, or `other` for all that are too few to be shown by themselves.
    pub locale: String,
    /// Recipients.
    pub recipients: u64,
    /// Those that were sent a letter.
    pub sent: u64,
}

impl Figures {
    /// Everybody who is written to, or would be.
    pub fn recipients(&self) -> u64 {
        self.sent + self.bounced + self.complained + self.failed + self.suppressed + self.uncertain + self.due
    }
}

impl Queue {
    /// The figures of a message.
    ///
    /// # Errors
    /// The state.
    pub async fn figures(&self, message: &MessageRow) -> Result<Figures, SendError> {
        let mut connection = self.state.pool().acquire().await.map_err(db("reading figures"))?;
        counts(&mut connection, &message.id).await
    }
}

pub(super) async fn counts(connection: &mut SqliteConnection, message: &str) -> Result<Figures, SendError> {
    let failed = db("reading figures");
    let mut figures = Figures::default();
    let mut locales = std::collections::BTreeMap::<String, (u64, u64)>::new();
    let rows = sqlx::query(
        "select state, locale, count(*) from tell_deliveries where message = $1 group by state, locale",
    )
    .bind(message)
    .fetch_all(&mut *connection)
    .await
    .map_err(&failed)?;
    for row in &rows {
        let state: String = row.try_get(0).map_err(&failed)?;
        let locale: String = row.try_get(1).map_err(&failed)?;
        let count = row.try_get::<i64, _>(2).map_err(&failed)?.max(0) as u64;
        let figure = match state.as_str() {
            "sent" => &mut figures.sent,
            "bounced" => &mut figures.bounced,
            "complained" => &mut figures.complained,
            "failed" => &mut figures.failed,
            "suppressed" => &mut figures.suppressed,
            "uncertain" => &mut figures.uncertain,
            _ => &mut figures.due,
        };
        *figure += count;
        let of = locales.entry(locale).or_default();
        of.0 += count;
        if matches!(state.as_str(), "sent" | "bounced" | "complained") {
            of.1 += count;
        }
    }
    let rows = sqlx::query("select reason, rows_read from tell_invalid where message = $1 order by reason")
        .bind(message)
        .fetch_all(&mut *connection)
        .await
        .map_err(&failed)?;
    for row in &rows {
        let count = row.try_get::<i64, _>(1).map_err(&failed)?.max(0) as u64;
        figures.invalid += count;
        figures.invalid_by_reason.insert(row.try_get(0).map_err(&failed)?, count);
    }
    figures.by_locale = grouped(locales);
    Ok(figures)
}

/// Languages with few recipients are told together; together still too few, not at all. A single small group is not
/// told by what is missing either: the smallest shown one joins it.
pub(super) fn grouped(locales: std::collections::BTreeMap<String, (u64, u64)>) -> Vec<LocaleFigure> {
    let (mut shown, small): (Vec<_>, Vec<_>) =
        locales.into_iter().partition(|(_, (recipients, _))| *recipients >= GROUP_MIN);
    let mut other = small.iter().fold((0, 0), |sum, (_, of)| (sum.0 + of.0, sum.1 + of.1));
    while other.0 > 0 && other.0 < GROUP_MIN {
        let Some(smallest) = (0..shown.len()).min_by_key(|at| shown[*at].1.0) else { return Vec::new() };
        let (_, of) = shown.remove(smallest);
        other = (other.0 + of.0, other.1 + of.1);
    }
    if other.0 > 0 {
        shown.push(("other".to_owned(), other));
    }
    let figure = |(locale, (recipients, sent))| LocaleFigure { locale, recipients, sent };
    shown.into_iter().map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_figure_is_of_so_few_that_one_could_be_recognised() {
        let of = |groups: &[(&str, u64)]| {
            let groups = groups.iter().map(|(l, n)| ((*l).to_owned(), (*n, *n))).collect();
            grouped(groups).into_iter().map(|g| format!("{} {}", g.locale, g.recipients)).collect::<Vec<_>>()
        };
        assert_eq!(of(&[("en", 40), ("es", 5)]), ["en 40", "es 5"]);
        assert_eq!(of(&[("en", 40), ("es", 3), ("fr", 4)]), ["en 40", "other 7"]);
        assert_eq!(of(&[("en", 40), ("es", 6), ("fr", 1)]), ["en 40", "other 7"], "nor by subtraction");
        assert_eq!(of(&[("en", 4)]), [] as [String; 0]);
    }
}
