//! The old system's orders: four to a customer, some of nobody, some of a size that nobody ever paid.

use super::chance::Chance;
use super::customers::{Fault, moment};
use super::inserts::Inserts;
use super::{DemoError, DemoFacts};

/// The table. Its foreign key was declared and never enforced.
pub(super) const TABLE: &str = "
create table orders (
  order_id    integer primary key,
  customer_id integer not null references customers (customer_id),
  ordered_at  timestamp not null,
  amount      text,
  currency    text not null,
  items       integer,
  channel     text not null,
  status      text not null,
  coupon      text,
  remark      text
)";

/// Orders per customer, on average.
pub(super) const PER_CUSTOMER: u64 = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    Orphan,
    FatFinger,
    NoAmount,
    TextInNumber,
}

impl Flaw {
    fn of(id: u64, seed: u64) -> Flaw {
        match (id.wrapping_mul(7919).wrapping_add(seed)) % 2000 {
            0..=2 => Flaw::Orphan,
            3 => Flaw::FatFinger,
            4..=5 => Flaw::NoAmount,
            6 => Flaw::TextInNumber,
            _ => Flaw::None,
        }
    }
}

/// Writes the orders of these customers.
pub(super) async fn write(
    row: &mut Inserts<'_>,
    customers: &[Fault],
    seed: u64,
    facts: &mut DemoFacts,
) -> Result<(), DemoError> {
    let mut chance = Chance::new(seed ^ 0x04de);
    let count = customers.len() as u64 * PER_CUSTOMER;
    for id in 1..=count {
        let customer = customer(customers, &mut chance);
        let fault = customers.get(customer as usize - 1).copied().unwrap_or(Fault::None);
        // An order of a test account is a test itself and nothing else, so that it counts once.
        let flaw = if fault == Fault::Test { Flaw::None } else { Flaw::of(id, seed) };
        count_order(fault, flaw, facts);
        write_row(row, id, customer, fault, flaw, customers.len() as u64, &mut chance).await?;
    }
    row.flush().await?;
    facts.orders = count;
    Ok(())
}

/// Who ordered. The orders of accounts that were closed long ago are in the archive, so they have none here.
fn customer(customers: &[Fault], chance: &mut Chance) -> u64 {
    loop {
        let id = chance.between(1, customers.len() as u64);
        if customers[id as usize - 1] != Fault::ClosedLongAgo {
            return id;
        }
    }
}

fn count_order(fault: Fault, flaw: Flaw, facts: &mut DemoFacts) {
    match flaw {
        Flaw::None if fault == Fault::Test => facts.test_orders += 1,
        Flaw::None if fault.quarantines() => facts.orders_of_quarantined += 1,
        Flaw::None => {}
        Flaw::Orphan => facts.orphan_orders += 1,
        Flaw::FatFinger => facts.fat_finger_amounts += 1,
        Flaw::NoAmount => facts.missing_amounts += 1,
        Flaw::TextInNumber => facts.text_in_items += 1,
    }
}

async fn write_row(
    row: &mut Inserts<'_>,
    id: u64,
    customer: u64,
    fault: Fault,
    flaw: Flaw,
    customers: u64,
    chance: &mut Chance,
) -> Result<(), DemoError> {
    row.begin_row();
    row.integer(id);
    row.integer(if flaw == Flaw::Orphan { 10 * customers + id } else { customer });
    let year = chance.between(2019, 2026);
    row.text(&moment(if year == 2026 { 2025 } else { year }, chance));
    let amount = match flaw {
        Flaw::FatFinger => format!("{}000000.00", chance.between(1, 9)),
        Flaw::NoAmount => chance.pick(&["N/A", "tbd", "see invoice"]).to_owned(),
        _ => money(chance),
    };
    row.text(&amount);
    row.text(chance.pick_common(&["EUR", "EUR", "GBP", "PLN"]));
    match flaw {
        Flaw::TextInNumber => row.text(chance.pick(&["two", "1 box", "?"])),
        _ => row.integer(chance.between(1, 6)),
    }
    row.text(if fault == Fault::Test {
        "test"
    } else {
        chance.pick_common(&["web", "app", "shop", "phone"])
    });
    row.text(chance.pick_common(&["delivered", "delivered", "paid", "returned", "cancelled"]));
    row.text_or_null(if chance.one_in(12) { "SPRING10" } else { "" });
    row.text_or_null(if chance.one_in(30) { "leave it with the neighbour" } else { "" });
    row.end_row().await
}

/// An amount with two decimals; large ones often with a comma for the thousands.
fn money(chance: &mut Chance) -> String {
    let cents = chance.below(400) * chance.below(900) + 199;
    let (whole, rest) = (cents / 100, cents % 100);
    if whole >= 1000 && chance.one_in(2) {
        return format!("{},{:03}.{rest:02}", whole / 1000, whole % 1000);
    }
    format!("{whole}.{rest:02}")
}
