//! What columns say about each other. A column of dates beside names is of birth; a name occurs in the address of its
//! row; three digits beside a card are its code. Each rule adds a reading with its reason and takes none away.

use std::collections::HashSet;

use super::column::{Reading, Seen};
use super::value::{Value, fold};
use super::{dates, forms, ids};

/// How far apart columns still are neighbours.
const NEAR: usize = 3;

/// Rows that are compared between columns, at most.
const ROWS: usize = 300;

const PERSON: [&str; 3] = ["given_name", "family_name", "person_name"];

/// Lets the columns of a table speak about each other.
pub(super) fn ask(columns: &mut [Seen]) {
    if columns.len() < 2 {
        return;
    }
    names_in_addresses(columns);
    repeated_names(columns);
    initials(columns);
    addresses(columns);
    let persons = columns.iter().filter(|c| c.is(&PERSON) || c.is(&["email"])).count();
    if persons > 0 {
        births(columns);
        ages(columns);
        mixed_ids(columns);
    }
    codes_of_cards(columns);
    logins(columns);
    coordinates(columns);
}

fn reading(kind: &'static str, detail: &'static str, confidence: f64, why: String) -> Reading {
    Reading { kind, detail, confidence, evidence: vec![why] }
}

/// Whether a column is still open: nothing sure is known of it, and its name does not say that it is something else.
fn open(column: &Seen) -> bool {
    column.denied() == 0.0 && column.best().is_none_or(|r| r.confidence < 0.75)
}

fn places(columns: &[Seen], wanted: impl Fn(&Seen) -> bool) -> Vec<usize> {
    (0..columns.len()).filter(|at| wanted(&columns[*at])).collect()
}

fn near(at: usize, others: &[usize], distance: usize) -> bool {
    others.iter().any(|other| *other != at && other.abs_diff(at) <= distance)
}

/// `MamoruNishioka@…` in a row with Mamoru and Nishioka: whatever language names are in, addresses are made of them.
fn names_in_addresses(columns: &mut [Seen]) {
    let Some(email) = columns.iter().position(|c| c.is(&["email"])) else { return };
    let letters = |text: &str| fold(text).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let local = |text: &&str| letters(text.split('@').next().unwrap_or_default());
    let locals: Vec<Option<String>> =
        columns[email].rows.iter().take(ROWS).map(|v| v.as_ref().map(local)).collect();
    for at in (0..columns.len()).filter(|at| *at != email) {
        if columns[at].denied() > 0.0 || columns[at].lexical.wordy < 0.5 {
            continue;
        }
        let (mut both, mut inside, mut first, mut whole) = (0, 0, 0, 0);
        for (value, local) in columns[at].rows.iter().zip(&locals) {
            let (Some(value), Some(local)) = (value, local) else { continue };
            let value = letters(value);
            both += 1;
            if value.len() >= 3 && local.contains(&value) {
                inside += 1;
                first += u32::from(local.starts_with(&value));
                whole += u32::from(*local == value);
            }
        }
        if both < 5 || inside * 2 < both {
            continue;
        }
        let why = format!("occurs in the e-mail address of {inside} of {both} rows");
        let l = columns[at].lexical;
        let kind = match () {
            () if whole * 2 >= both => {
                columns[at].add(reading("account_number", "username", 0.7, why));
                continue;
            }
            () if l.single < 0.5 => "person_name",
            () if l.given > l.family => "given_name",
            () if l.family > l.given => "family_name",
            () if first * 2 >= inside => "given_name",
            () => "family_name",
        };
        columns[at].add(reading(kind, "", 0.9, why));
    }
}

/// The same family names occur in several columns of a table: of mothers, of partners, of birth.
fn repeated_names(columns: &mut [Seen]) {
    for from in 0..columns.len() {
        if !columns[from].is(&["given_name", "family_name"]) {
            continue;
        }
        let Some(kind) = columns[from].best().map(|r| r.kind) else { continue };
        let known: HashSet<String> = columns[from].rows.iter().flatten().map(|v| fold(v)).collect();
        for at in (0..columns.len()).filter(|at| *at != from) {
            let c = &columns[at];
            if !open(c) || c.lexical.wordy < 0.9 || c.lexical.ordinary > 0.3 || c.values.len() < 8 {
                continue;
            }
            let shared = c.values.iter().filter(|v| known.contains(v.folded())).count();
            let like = c.lexical.family.max(c.lexical.given) > c.lexical.city;
            if shared * 10 >= c.values.len() && shared >= 2 && (like || shared * 3 >= c.values.len()) {
                let why = format!("{shared} of {} sampled values occur in a column of names", c.values.len());
                columns[at].add(reading(kind, "", 0.72, why));
            }
        }
    }
}

/// One capital letter beside names.
fn initials(columns: &mut [Seen]) {
    let names = places(columns, |c| c.is(&PERSON));
    for (at, column) in columns.iter_mut().enumerate() {
        let c = &*column;
        if near(at, &names, 2)
            && c.values.len() >= 4
            && c.share(|v| forms::is_initial(v.text)) >= 0.9
            && open(c)
        {
            column.add(reading("person_name", "name_part", 0.85, "single letters beside names".to_owned()));
        }
    }
}

/// Towns, regions and postcodes stand together with streets and countries.
fn addresses(columns: &mut [Seen]) {
    let street = |c: &Seen| c.is(&["postal_address"]) && c.best().is_some_and(|r| r.detail != "region");
    let numbered = |c: &Seen| {
        open(c)
            && c.values.len() >= 4
            && c.lexical.wordy < 0.3
            && c.share(|v| v.letters >= 4 && forms::is_numbered(v.text)) >= 0.75
    };
    let others = places(columns, |c| c.is(&["city", "postcode", "country"]) || c.is(&PERSON));
    for at in places(columns, numbered) {
        if near(at, &others, NEAR) {
            let why = "words with a house number beside other parts of an address".to_owned();
            columns[at].add(reading("postal_address", "", 0.75, why));
        }
    }
    let streets = places(columns, street);
    let countries = places(columns, |c| c.is(&["country"]));
    let mut parts = [streets.clone(), countries, places(columns, |c| c.is(&["city", "postcode"]))].concat();
    for (at, column) in columns.iter_mut().enumerate() {
        let c = &*column;
        let codes = c.share(|v| v.digits >= 3 && v.chars <= 10 && forms::is_postcode(v.text));
        let different = c.values.len() >= 4 && c.values.len() * 3 >= c.known.min(200);
        if open(c) && near(at, &parts, NEAR) && codes >= 0.9 && different && !c.is(&["phone"]) {
            column.add(reading("postcode", "", 0.8, "codes beside other parts of an address".to_owned()));
            parts.push(at);
        }
    }
    towns(columns, &streets, &parts);
    regions(columns, &parts);
}

fn towns(columns: &mut [Seen], streets: &[usize], parts: &[usize]) {
    if columns.iter().any(|c| c.is(&["city"])) {
        return;
    }
    let town = |at: &usize| {
        let c = &columns[*at];
        let different = c.values.len() >= 4 && c.values.len() * 4 >= c.known.min(200);
        open(c) && !c.is(&PERSON) && c.lexical.wordy >= 0.85 && c.lexical.ordinary < 0.4 && different
    };
    let behind = |at: &usize| streets.iter().any(|s| *s < *at && *at - *s <= 2);
    let found = (0..columns.len()).filter(town).find(behind).or_else(|| {
        let likely = |at: &usize| near(*at, parts, 2) && columns[*at].lexical.city > 0.3;
        (0..columns.len()).filter(town).find(likely)
    });
    if let Some(at) = found {
        columns[at].add(reading("city", "", 0.78, "words beside other parts of an address".to_owned()));
    }
}

fn regions(columns: &mut [Seen], parts: &[usize]) {
    let cities = places(columns, |c| c.is(&["city"]));
    let named = |c: &Seen| c.said.iter().any(|s| s.detail == "region");
    let codes = |c: &Seen| {
        c.share(|v| {
            matches!(v.chars, 1..=3)
                && v.spaces == 0
                && v.marks() == 0
                && !v.text.bytes().any(|b| b.is_ascii_lowercase())
        }) >= 0.9
            && c.share(|v| super::words::is_region_code(v.text)) >= 0.45
    };
    for (at, column) in columns.iter_mut().enumerate() {
        let c = &*column;
        let beside = near(at, &cities, 2) || (near(at, parts, 2) && named(c));
        if !beside || c.values.len() < 2 || c.is(&["city", "postcode", "email", "phone"]) || c.denied() > 0.0
        {
            continue;
        }
        let open = c.best().is_none_or(|r| r.confidence < 0.7 || r.kind == "country");
        let words = c.lexical.wordy >= 0.85 && !c.is(&PERSON) && (c.lexical.region >= 0.12 || named(c));
        // A country's code is one in nearly every row; a region's is not.
        let country = c.share(|v| forms::fits("country", v.text)) >= 0.95;
        if open && !country && (codes(c) || words || (named(c) && c.share(|v| v.chars <= 30) >= 0.9)) {
            let sure = if named(c) { 0.88 } else { 0.78 };
            column.add(reading("postal_address", "region", sure, "stands beside a town".to_owned()));
        }
    }
}

/// The years of a column of days.
fn years(column: &Seen) -> Vec<Option<i16>> {
    column.rows.iter().take(ROWS).map(|v| v.and_then(dates::parse)).collect()
}

/// Days without a time, spread as births of living people are. Of several columns, the earliest.
fn births(columns: &mut [Seen]) {
    if columns.iter().any(|c| c.is(&["birth_date"])) {
        return;
    }
    let mut best: Option<(i16, usize)> = None;
    for (at, c) in columns.iter().enumerate() {
        if !open(c) || c.values.len() < 5 {
            continue;
        }
        let mut years: Vec<i16> = years(c).into_iter().flatten().collect();
        if years.len() * 10 < c.known.min(ROWS) * 8 || years.len() < 5 {
            continue;
        }
        years.sort_unstable();
        let at_share = |share: f64| years[((years.len() - 1) as f64 * share) as usize];
        let (low, middle, high) = (at_share(0.1), at_share(0.5), at_share(0.9));
        if high - low >= 12
            && (1925..=2010).contains(&middle)
            && low >= 1900
            && best.is_none_or(|(m, _)| middle < m)
        {
            best = Some((middle, at));
        }
    }
    if let Some((_, at)) = best {
        let why = "days without a time, spread over decades, in a table about persons".to_owned();
        columns[at].add(reading("birth_date", "", 0.8, why));
    }
}

/// Numbers that go with the year of birth; where there is none, numbers spread as ages are.
fn ages(columns: &mut [Seen]) {
    let births = columns.iter().position(|c| c.is(&["birth_date"])).map(|at| years(&columns[at]));
    let persons = places(columns, |c| c.is(&PERSON)).len();
    for column in columns.iter_mut() {
        let c = &*column;
        if !open(c) || c.values.len() < 5 || c.share(|v| v.only_digits() && v.digits <= 3) < 0.95 {
            continue;
        }
        let ages: Vec<Option<i16>> =
            c.rows.iter().take(ROWS).map(|v| v.and_then(|t| t.parse().ok())).collect();
        let known: Vec<i16> = ages.iter().flatten().copied().collect();
        if known.iter().any(|a| *a > 115) || known.len() < 5 {
            continue;
        }
        if let Some(years) = &births {
            let mut sums: Vec<i16> =
                ages.iter().zip(years).filter_map(|(a, y)| Some((*a)? + (*y)?)).collect();
            sums.sort_unstable();
            let Some(middle) = sums.get(sums.len() / 2).copied() else { continue };
            let close = sums.iter().filter(|s| (**s - middle).abs() <= 1).count();
            if close * 10 >= sums.len() * 9 {
                column.add(reading("age", "", 0.93, "goes with the year of birth".to_owned()));
            }
            continue;
        }
        let mean = known.iter().map(|a| f64::from(*a)).sum::<f64>() / known.len() as f64;
        let spread =
            (known.iter().map(|a| (f64::from(*a) - mean).powi(2)).sum::<f64>() / known.len() as f64).sqrt();
        let youngest = known.iter().min().copied().unwrap_or_default();
        if persons >= 1 && (28.0..=62.0).contains(&mean) && (7.0..=26.0).contains(&spread) && youngest >= 10 {
            column.add(reading("age", "", 0.55, "numbers spread as ages are, beside names".to_owned()));
        }
    }
}

/// Numbers of several countries' authorities in one column: no single one explains it, together they do.
fn mixed_ids(columns: &mut [Seen]) {
    for column in columns.iter_mut() {
        if !open(column) || column.values.len() < 10 || column.is(&["phone"]) {
            continue;
        }
        let lengths: HashSet<usize> = column.values.iter().map(|v| v.compact().len()).collect();
        let any = |v: &Value| {
            v.digits >= 6 && ["national_id", "us_ssn", "tax_id"].iter().any(|kind| ids::any(kind, v))
        };
        let share = column.share(any);
        let different = column.values.len() * 10 >= column.known.min(200) * 9;
        if share >= 0.4 && lengths.len() >= 3 && different {
            let why = format!(
                "{:.0}% of the sampled values are valid as identity numbers of several countries",
                share * 100.0
            );
            column.add(reading("national_id", "several", 0.5 + 0.4 * share, why));
        }
    }
}

/// Three or four digits that hardly repeat, beside a card's number.
fn codes_of_cards(columns: &mut [Seen]) {
    let cards = places(columns, |c| c.is(&["card_number"]));
    for (at, column) in columns.iter_mut().enumerate() {
        let c = &*column;
        if !near(at, &cards, NEAR) || !open(c) || c.values.len() < 4 {
            continue;
        }
        // A spreadsheet takes leading zeros away, so some have two digits.
        let digits =
            c.share(|v| v.only_digits() && v.digits <= 4) >= 0.98 && c.share(|v| v.digits >= 3) >= 0.7;
        let years = c.share(|v| v.text.starts_with("20") && v.digits == 4) >= 0.7;
        if digits && !years && c.values.len() * 2 >= c.known.min(200) {
            column.add(reading(
                "credential",
                "card_cvv",
                0.82,
                "short numbers beside card numbers".to_owned(),
            ));
        }
    }
}

/// Who signs in, and with what: beside an address or each other.
fn logins(columns: &mut [Seen]) {
    let emails = places(columns, |c| c.is(&["email"]));
    let token = |v: &Value| {
        v.spaces == 0
            && (4..=40).contains(&v.chars)
            && v.letters > 0
            && !v.text.contains(['@', '/', ':', ','])
    };
    let lone = |c: &Seen| {
        open(c)
            && c.values.len() >= 5
            && c.values.len() * 10 >= c.known.min(200) * 9
            && c.share(token) >= 0.95
    };
    let named = places(columns, |c| c.best().is_some_and(|r| r.detail == "username" && r.confidence >= 0.55));
    let passwords: Vec<usize> = places(columns, |c| lone(c) && c.share(is_scrambled) >= 0.6)
        .into_iter()
        .filter(|at| near(*at, &emails, 2) || near(*at, &named, 2))
        .collect();
    for at in &passwords {
        let why = "mixed letters and digits beside an address or a login".to_owned();
        columns[*at].add(reading("credential", "", 0.8, why));
    }
    let secrets = places(columns, |c| c.is(&["credential"]));
    let user = |c: &Seen| {
        lone(c) && c.lexical.known_names() < 0.5 && c.share(is_handle) >= 0.85 && c.share(is_scrambled) < 0.3
    };
    for at in places(columns, user) {
        if near(at, &secrets, 2) || (near(at, &emails, 1) && columns[at].lexical.ordinary < 0.3) {
            let why = "single words that do not repeat, beside an address or a password".to_owned();
            columns[at].add(reading("account_number", "username", 0.72, why));
        }
    }
}

/// Digits among the letters or capitals in their midst: nobody's word.
fn is_scrambled(value: &Value) -> bool {
    let text = value.text;
    if !(6..=40).contains(&value.chars) || value.letters < 3 || looks_like_hex(value) {
        return false;
    }
    let core = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digit_inside =
        core.chars().skip(1).any(|c| c.is_ascii_digit()) && core.chars().any(char::is_lowercase);
    let changes =
        core.chars().zip(core.chars().skip(1)).filter(|(a, b)| a.is_lowercase() && b.is_uppercase()).count();
    let odd = text.chars().any(|c| matches!(c, '!' | '$' | '%' | '^' | '&' | '*' | '?' | '#'));
    digit_inside || odd || (changes >= 1 && value.digits > 0) || changes >= 2
}

fn looks_like_hex(value: &Value) -> bool {
    value.chars >= 16 && value.text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

fn is_handle(value: &Value) -> bool {
    value.text.starts_with(|c: char| c.is_alphabetic())
        && (3..=30).contains(&value.chars)
        && value.text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Two columns of fractions side by side, within the degrees of latitude and longitude.
fn coordinates(columns: &mut [Seen]) {
    let within = |c: &Seen, degrees: f64| {
        c.values.len() >= 4
            && open(c)
            && c.share(|v| {
                let places = v.text.split_once('.').map_or(0, |(_, rest)| rest.len());
                places >= 4 && v.text.parse::<f64>().is_ok_and(|d| d.abs() <= degrees)
            }) >= 0.9
    };
    for at in 1..columns.len() {
        if within(&columns[at - 1], 90.0) && within(&columns[at], 180.0) {
            for place in [at - 1, at] {
                columns[place].add(reading(
                    "geo",
                    "",
                    0.72,
                    "two columns of degrees side by side".to_owned(),
                ));
            }
        }
    }
}
