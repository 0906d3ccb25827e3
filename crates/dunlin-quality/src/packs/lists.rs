//! Lists that change with the years and that rules read: each a file with its day and its source.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Small areas by the first three digits of a ZIP code.
#[derive(Debug, Default, Deserialize)]
struct Zip3 {
    as_of: String,
    source: String,
    small: Vec<String>,
}

/// Ages of consent by country.
#[derive(Debug, Default, Deserialize)]
struct Ages {
    as_of: String,
    source: String,
    otherwise: u8,
    ages: BTreeMap<String, u8>,
}

/// Countries that personal data may go to.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Adequacy {
    pub(super) as_of: String,
    source: String,
    eea: Vec<String>,
    whole: Vec<String>,
    partly: BTreeMap<String, String>,
}

// A file that cannot be read is an empty list; a test reads each, so none is.
fn read<T: Default + for<'de> Deserialize<'de>>(text: &str) -> T {
    // The lists' days stand without quotes, as TOML's dates; here they are text.
    let quoted: Vec<String> = text
        .lines()
        .map(|line| match line.strip_prefix("as_of = ") {
            Some(day) => format!("as_of = \"{}\"", day.trim()),
            None => line.to_owned(),
        })
        .collect();
    let read = toml_edit::de::from_str(&quoted.join("\n"));
    debug_assert!(read.is_ok(), "a list of this program cannot be read");
    read.unwrap_or_default()
}

static ZIP3: LazyLock<Zip3> = LazyLock::new(|| read(include_str!("../../../../packs/lists/zip3.toml")));
static AGES: LazyLock<Ages> =
    LazyLock::new(|| read(include_str!("../../../../packs/lists/consent_ages.toml")));
static ADEQUACY: LazyLock<Adequacy> =
    LazyLock::new(|| read(include_str!("../../../../packs/lists/adequacy.toml")));

/// Whether the ZIP codes that begin with these three digits are of an area with 20,000 people or fewer
/// (45 CFR 164.514(b)(2)(i)(B)).
pub fn small_zip3(area: &str) -> bool {
    ZIP3.small.iter().any(|small| small == area)
}

/// SQL for the age from which a person of a country consents alone; `country` is SQL for its code.
pub(super) fn age_of_consent(country: Option<&str>) -> String {
    let ages = &*AGES;
    let Some(country) = country else { return ages.otherwise.to_string() };
    let when: String = ages.ages.iter().map(|(code, age)| format!(" when '{code}' then {age}")).collect();
    format!("(case upper({country}){when} else {} end)", ages.otherwise)
}

/// What the law says of a country as the place personal data goes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the European Economic Area.
    Inside,
    /// A decision covers it.
    Adequate,
    /// A decision covers some who receive data there.
    Partly(String),
    /// None does.
    Outside,
}

/// What is known of a country.
pub(super) fn place(region: &str) -> Place {
    let list = &*ADEQUACY;
    let among = |countries: &[String]| countries.iter().any(|c| c == region);
    match list.partly.get(region) {
        _ if among(&list.eea) => Place::Inside,
        _ if among(&list.whole) => Place::Adequate,
        Some(whom) => Place::Partly(whom.clone()),
        None => Place::Outside,
    }
}

/// The day of the list of adequacy decisions.
pub(super) fn adequacy_as_of() -> &'static str {
    &ADEQUACY.as_of
}

/// Each list: what it is, its day, its source.
pub(super) fn all() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("small ZIP3 areas", &ZIP3.as_of, &ZIP3.source),
        ("ages of consent", &AGES.as_of, &AGES.source),
        ("adequacy decisions", &ADEQUACY.as_of, &ADEQUACY.source),
    ]
}
