//! The old system's support tickets, whose text is nobody's business any more, and its list of countries.

use super::chance::Chance;
use super::customers::{Fault, moment};
use super::inserts::Inserts;
use super::words::{self, COUNTRIES};
use super::{DemoError, DemoFacts};

/// The tables. The tickets' way to the customer is a column and no foreign key.
pub(super) const TABLES: &str = "
create table tickets (
  ticket_id   integer primary key,
  customer_id integer not null,
  category    text not null,
  subject     text,
  body        text,
  agent       text,
  opened_at   timestamp not null,
  closed_at   timestamp
);
create table countries (
  code     text primary key,
  language text not null,
  dial     text not null
)";

/// Writes one ticket for every fifth customer that is not a test.
pub(super) async fn write(
    row: &mut Inserts<'_>,
    customers: &[Fault],
    seed: u64,
    facts: &mut DemoFacts,
) -> Result<(), DemoError> {
    let mut chance = Chance::new(seed ^ 0x71c7);
    for (index, fault) in customers.iter().enumerate() {
        if !index.is_multiple_of(5) || matches!(fault, Fault::Test | Fault::ClosedLongAgo) {
            continue;
        }
        let (category, subject, body) = words::TICKETS[chance.below(words::TICKETS.len() as u64) as usize];
        row.begin_row();
        row.integer(facts.tickets + 1);
        row.integer(index as u64 + 1);
        row.text(category);
        row.text(subject);
        row.text(body);
        row.text(chance.pick(&["agent 7", "agent 12", "agent 3"]));
        let year = chance.between(2021, 2024);
        row.text(&moment(year, &mut chance));
        if chance.one_in(10) {
            row.null();
        } else {
            row.text(&moment(year + 1, &mut chance));
        }
        row.end_row().await?;
        facts.tickets += 1;
    }
    row.flush().await
}

/// Writes the countries.
pub(super) async fn write_countries(row: &mut Inserts<'_>, facts: &mut DemoFacts) -> Result<(), DemoError> {
    for country in COUNTRIES {
        row.begin_row();
        row.text(country.code);
        row.text(country.language);
        row.text(country.dial);
        row.end_row().await?;
        facts.countries += 1;
    }
    row.flush().await
}
