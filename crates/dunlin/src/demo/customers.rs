//! The old system's customers. Each carries at most one fault that decides what becomes of it, so that the counts
//! of what was planted are exact; what a cleaning function mends (blanks, capitals, spellings) comes on top.

use super::chance::Chance;
use super::inserts::Inserts;
use super::words::{self, COUNTRIES, Country, DOMAINS, LATIN1_FAMILIES, SENTINELS};
use super::{DemoError, DemoFacts};

/// The table, as somebody made it in 2011.
pub(super) const TABLE: &str = "
create table customers (
  customer_id    integer primary key,
  first_name     text not null,
  last_name      text not null,
  email          text,
  tel            text,
  fax            text,
  dob            text,
  nif            text,
  street         text,
  city           text,
  postcode       text,
  country        text,
  language       text,
  loyalty_points integer,
  marketing      text,
  status         text not null,
  created_at     timestamp not null,
  updated_at     timestamp not null,
  closed_at      date,
  notes          text
)";

/// What is wrong with a customer, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Test,
    ClosedLongAgo,
    BrokenEmail,
    ImpossibleDate,
    UnlistedDateFormat,
    Latin1,
    TextInNumber,
    Underage,
    BrokenPhone,
    Duplicate,
}

impl Fault {
    /// Which fault the customer of this number has: fixed shares, spread evenly.
    fn of(id: u64, seed: u64) -> Fault {
        match (id.wrapping_mul(7919).wrapping_add(seed)) % 1000 {
            0..=1 => Fault::Test,
            2..=4 => Fault::ClosedLongAgo,
            5..=6 => Fault::BrokenEmail,
            7 => Fault::ImpossibleDate,
            8..=9 => Fault::UnlistedDateFormat,
            10 => Fault::Latin1,
            11 => Fault::TextInNumber,
            12 => Fault::Underage,
            13 => Fault::BrokenPhone,
            14..=18 => Fault::Duplicate,
            _ => Fault::None,
        }
    }

    /// Whether the row waits for a person.
    pub(super) fn quarantines(self) -> bool {
        !matches!(self, Fault::None | Fault::Test | Fault::ClosedLongAgo | Fault::Duplicate)
    }
}

/// A customer before the old system spoils how it is written.
#[derive(Clone)]
struct Customer {
    country: &'static Country,
    given: &'static str,
    family: &'static str,
    email: String,
    mobile: String,
    born: (u64, u64, u64),
    street: String,
    town: &'static str,
    postcode: String,
}

impl Customer {
    fn invent(id: u64, chance: &mut Chance) -> Customer {
        let country = country(chance);
        let given = chance.pick_common(country.given);
        let family = chance.pick_common(country.family);
        let (town, postcode) = country.towns[chance.below(country.towns.len() as u64) as usize];
        let digits = if country.code == "PT" { 2 } else { 5_usize.saturating_sub(postcode.len()) };
        Customer {
            country,
            given,
            family,
            email: address(given, family, id, chance),
            mobile: format!("{}{}", country.mobile.0, number(chance, country.mobile.1)),
            born: (chance.between(1938, 2004), chance.between(1, 12), chance.between(1, 28)),
            street: format!("{} {}", chance.pick(country.streets), chance.between(1, 180)),
            town,
            postcode: format!("{postcode}{}", number(chance, digits)),
        }
    }
}

fn country(chance: &mut Chance) -> &'static Country {
    let mut share = chance.below(100);
    for country in COUNTRIES {
        if share < country.share {
            return country;
        }
        share -= country.share;
    }
    &COUNTRIES[0]
}

fn number(chance: &mut Chance, digits: usize) -> String {
    let limit = 10_u64.pow(digits as u32);
    if digits == 0 { String::new() } else { format!("{:0digits$}", chance.below(limit)) }
}

/// A valid address that no other customer has.
fn address(given: &str, family: &str, id: u64, chance: &mut Chance) -> String {
    let (given, family, domain) = (words::plain(given), words::plain(family), chance.pick_common(DOMAINS));
    match chance.below(3) {
        0 => format!("{given}.{family}{id}@{domain}"),
        1 => format!("{}{family}.{id}@{domain}", &given[..1]),
        _ => format!("{family}_{id}@{domain}"),
    }
}

/// Writes the customers. Returns the fault of each; number 1 is at index 0.
pub(super) async fn write(
    inserts: &mut Inserts<'_>,
    count: u64,
    seed: u64,
    facts: &mut DemoFacts,
) -> Result<Vec<Fault>, DemoError> {
    let mut chance = Chance::new(seed ^ 0xc057);
    let mut known: Vec<Customer> = Vec::with_capacity(64);
    let mut faults = Vec::with_capacity(count as usize);
    for id in 1..=count {
        let mut fault = Fault::of(id, seed);
        if fault == Fault::Duplicate && known.is_empty() {
            fault = Fault::None;
        }
        let customer = match fault {
            Fault::Duplicate => {
                slightly_different(&known[chance.below(known.len() as u64) as usize], &mut chance)
            }
            _ => Customer::invent(id, &mut chance),
        };
        write_row(inserts, id, &customer, fault, &mut chance, facts).await?;
        count_fault(fault, facts);
        faults.push(fault);
        if fault == Fault::None && known.len() < 64 {
            known.push(customer);
        } else if fault == Fault::None && chance.one_in(8) {
            let place = chance.below(64) as usize;
            known[place] = customer;
        }
    }
    inserts.flush().await?;
    facts.customers = count;
    Ok(faults)
}

/// The same person, typed in again by somebody in a hurry.
fn slightly_different(original: &Customer, chance: &mut Chance) -> Customer {
    let mut again = original.clone();
    match chance.below(3) {
        0 => again.street = original.street.to_uppercase(),
        1 => again.email = original.email.to_uppercase(),
        _ => again.street = original.street.replace("Calle", "C/").replace("straße", "str."),
    }
    again
}

async fn write_row(
    row: &mut Inserts<'_>,
    id: u64,
    customer: &Customer,
    fault: Fault,
    chance: &mut Chance,
    facts: &mut DemoFacts,
) -> Result<(), DemoError> {
    row.begin_row();
    row.integer(id);
    row.text(&as_typed(customer.given, chance, facts));
    if fault == Fault::Latin1 {
        row.latin1(chance.pick(LATIN1_FAMILIES));
    } else {
        row.text(&as_typed(customer.family, chance, facts));
    }
    row.text_or_null(&email(customer, fault, chance, facts));
    row.text_or_null(&telephone(customer, fault, chance, facts));
    row.text_or_null(if chance.one_in(40) { "91 555 01 00" } else { "" });
    row.text_or_null(&birth_date(customer, fault, chance, facts));
    row.text_or_null(&if customer.country.code == "ES" { tax_number(chance) } else { String::new() });
    row.text(&customer.street);
    row.text(&padded(customer.town, chance, facts));
    row.text(&customer.postcode);
    row.text(chance.pick_common(customer.country.spellings));
    row.text(&language(customer.country.language, chance));
    match fault {
        Fault::TextInNumber => row.text(chance.pick(&["1,250", "n/a", "two hundred", "12 pts"])),
        _ => row.integer(chance.below(50) * chance.below(50)),
    }
    row.text_or_null(chance.pick(&["Y", "N", "N", ""]));
    let status = match fault {
        Fault::Test => "test",
        Fault::ClosedLongAgo => "closed",
        _ => chance.pick(&["active", "active", "active", "active", "dormant"]),
    };
    row.text(status);
    let year = if fault == Fault::ClosedLongAgo { 2011 } else { chance.between(2011, 2022) };
    row.text(&moment(year, chance));
    row.text(&moment(year + chance.between(1, 3), chance));
    match fault {
        Fault::ClosedLongAgo => {
            row.text(&format!("{}-0{}-15", chance.between(2015, 2018), chance.between(1, 9)))
        }
        _ => row.null(),
    }
    row.text_or_null(&notes(chance, facts));
    row.end_row().await
}

fn count_fault(fault: Fault, facts: &mut DemoFacts) {
    let counter = match fault {
        Fault::None => return,
        Fault::Test => &mut facts.test_customers,
        Fault::ClosedLongAgo => &mut facts.closed_long_ago,
        Fault::BrokenEmail => &mut facts.broken_emails,
        Fault::ImpossibleDate => &mut facts.impossible_dates,
        Fault::UnlistedDateFormat => &mut facts.unlisted_date_formats,
        Fault::Latin1 => &mut facts.latin1_names,
        Fault::TextInNumber => &mut facts.text_in_loyalty_points,
        Fault::Underage => &mut facts.underage,
        Fault::BrokenPhone => &mut facts.broken_phones,
        Fault::Duplicate => &mut facts.duplicates,
    };
    *counter += 1;
}

/// A name as clerks type: some in capitals, some with a blank too many.
fn as_typed(name: &str, chance: &mut Chance, facts: &mut DemoFacts) -> String {
    if chance.one_in(25) {
        facts.shouted_names += 1;
        return name.to_uppercase();
    }
    padded(name, chance, facts)
}

fn padded(text: &str, chance: &mut Chance, facts: &mut DemoFacts) -> String {
    if !chance.one_in(30) {
        return text.to_owned();
    }
    facts.trailing_blanks += 1;
    format!("{text}  ")
}

fn email(customer: &Customer, fault: Fault, chance: &mut Chance, facts: &mut DemoFacts) -> String {
    let address = &customer.email;
    match fault {
        Fault::BrokenEmail => match chance.below(4) {
            0 => address.replace('@', " at "),
            1 => address.replace('@', "@@"),
            2 => address.split('@').next().unwrap_or_default().to_owned(),
            _ => address.replace('@', "@ "),
        },
        Fault::None if chance.one_in(70) => {
            facts.email_sentinels += 1;
            chance.pick(SENTINELS).to_owned()
        }
        Fault::None if chance.one_in(20) => address.to_uppercase(),
        Fault::None if chance.one_in(40) => format!(" {address}"),
        _ => address.clone(),
    }
}

fn telephone(customer: &Customer, fault: Fault, chance: &mut Chance, facts: &mut DemoFacts) -> String {
    let (dial, mobile) = (customer.country.dial, &customer.mobile);
    if fault == Fault::BrokenPhone {
        return chance.pick(words::BROKEN_PHONES).to_owned();
    }
    if chance.one_in(50) {
        facts.phone_sentinels += 1;
        return chance.pick(SENTINELS).to_owned();
    }
    match chance.below(4) {
        0 if dial == "+34" => mobile.clone(),
        1 if dial == "+34" => {
            format!("{} {} {} {}", &mobile[..3], &mobile[3..5], &mobile[5..7], &mobile[7..])
        }
        2 => format!("{} {mobile}", dial.replace('+', "00")),
        _ => format!("{dial} {mobile}"),
    }
}

fn birth_date(customer: &Customer, fault: Fault, chance: &mut Chance, facts: &mut DemoFacts) -> String {
    let (year, month, day) = customer.born;
    match fault {
        Fault::ImpossibleDate => format!("31/02/{year}"),
        Fault::UnlistedDateFormat => format!("{year}.{month:02}.{day:02}"),
        Fault::Underage => format!("{day:02}/{month:02}/{}", chance.between(2012, 2018)),
        Fault::None if chance.one_in(80) => {
            facts.date_sentinels += 1;
            chance.pick(&["N/A", "0000-00-00", "unknown"]).to_owned()
        }
        _ => match chance.below(10) {
            0..=5 => format!("{day:02}/{month:02}/{year}"),
            6..=8 => format!("{year}-{month:02}-{day:02}"),
            _ => format!("{day:02}.{month:02}.{year}"),
        },
    }
}

/// A Spanish tax number with its check letter.
fn tax_number(chance: &mut Chance) -> String {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let number = chance.between(10_000_000, 79_999_999);
    format!("{number}{}", char::from(LETTERS[(number % 23) as usize]))
}

fn language(language: &str, chance: &mut Chance) -> String {
    if chance.one_in(12) { format!("{}_XX", language.to_uppercase()) } else { language.to_owned() }
}

/// A moment of a year, as SQLite writes it.
pub(super) fn moment(year: u64, chance: &mut Chance) -> String {
    let (month, day) = (chance.between(1, 12), chance.between(1, 28));
    let (hour, minute, second) = (chance.between(7, 21), chance.below(60), chance.below(60));
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Mostly nothing, sometimes gossip, and now and then a card number.
fn notes(chance: &mut Chance, facts: &mut DemoFacts) -> String {
    if chance.one_in(400) {
        facts.card_numbers_in_notes += 1;
        return format!("paid by card {} exp 11/27", card_number(chance));
    }
    if chance.one_in(6) { chance.pick(words::NOTES).to_owned() } else { String::new() }
}

/// A number with a card's check digit, in a range that no bank gives out to people.
fn card_number(chance: &mut Chance) -> String {
    let body = format!("411111{}", number(chance, 9));
    let sum: u64 =
        body.bytes().rev().enumerate().map(|(place, digit)| luhn(u64::from(digit - b'0'), place)).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn luhn(digit: u64, place: usize) -> u64 {
    if !place.is_multiple_of(2) {
        return digit;
    }
    let double = digit * 2;
    if double > 9 { double - 9 } else { double }
}
