//! By when a request must be answered, by the law's dated tables and the company's clock.

use dunlin_store::RequestKind;
use dunlin_tell::clock::{self, Asked, ClockError, Law};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The days of a request, in microseconds since 1970 UTC.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// Under which law; none for what has no period.
    pub(super) law: Option<String>,
    /// The first moment that is too late.
    pub(super) due_at: Option<i64>,
    /// The same with the law's extension.
    pub(super) extended_to: Option<i64>,
}

/// What the tables call it. Consent has no period: it acts at once.
fn word(kind: RequestKind) -> Option<clock::RequestKind> {
    Some(match kind {
        RequestKind::Access => clock::RequestKind::Access,
        RequestKind::Portability => clock::RequestKind::Portability,
        RequestKind::Rectification => clock::RequestKind::Rectification,
        RequestKind::Erasure => clock::RequestKind::Erasure,
        RequestKind::Restriction => clock::RequestKind::Restriction,
        RequestKind::Objection => clock::RequestKind::Objection,
        RequestKind::ConsentWithdrawn | RequestKind::ConsentGiven => return None,
    })
}

/// Counts the days.
///
/// # Errors
/// The calendar is not in the tables. A law that knows no such request gives no days, and that is no error.
pub(super) fn count(
    law: Law,
    calendar: &str,
    kind: RequestKind,
    received: Timestamp,
    zone: &TimeZone,
) -> Result<Due, ClockError> {
    let Some(kind) = word(kind) else { return Ok(Due::default()) };
    let law_code = serde_json::to_value(law).ok().and_then(|word| word.as_str().map(str::to_owned));
    let asked = Asked { law, kind, received, zone: zone.clone(), calendar, runs_from: None };
    let deadline = match clock::deadline(&asked) {
        Ok(deadline) => deadline,
        Err(ClockError::NoRule { .. }) => return Ok(Due { law: law_code, ..Due::default() }),
        Err(error) => return Err(error),
    };
    let after = |day: jiff::civil::Date| {
        let next = day.tomorrow().map_err(|_| ClockError::OutOfRange)?;
        let begins = next.to_zoned(zone.clone()).map_err(|_| ClockError::OutOfRange)?;
        Ok(begins.timestamp().as_microsecond())
    };
    Ok(Due {
        law: law_code,
        due_at: Some(deadline.late_from.as_microsecond()),
        extended_to: deadline.extended_to.map(after).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_and_two_more_and_consent_has_no_clock() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let count = |kind| count(Law::Gdpr, "ES", kind, at("2026-11-22T12:00:00Z"), &TimeZone::UTC).unwrap();
        let due = count(RequestKind::Erasure);
        // 22 December 2026 is a Tuesday, 22 February 2027 a Monday.
        assert_eq!(due.due_at, Some(at("2026-12-23T00:00:00Z").as_microsecond()));
        assert_eq!(due.extended_to, Some(at("2027-02-23T00:00:00Z").as_microsecond()));
        assert_eq!(due.law.as_deref(), Some("gdpr"));
        assert_eq!(count(RequestKind::ConsentGiven), Due::default());
    }
}
