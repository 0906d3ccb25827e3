//! Columns that look like something and are not, and the same columns with what they look like: the first must stay
//! unnamed, the second show that the test would notice.

use super::*;

fn kind_of(values: &[String]) -> Option<String> {
    let views: Vec<&str> = values.iter().map(String::as_str).collect();
    detect("c1", &ColumnType::TEXT, &views)
        .map(|g| format!("{} {:?} {:.2} {:?}", g.kind, g.detail, g.confidence, g.evidence))
}

/// Numbers that scatter without a pattern of their own.
fn scattered(n: u64) -> u64 {
    n.wrapping_add(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

#[test]
fn numbers_of_business_are_nobodys() {
    type Make = fn(u64) -> String;
    let columns: [(&str, Make); 32] = [
        ("order numbers", |n| format!("ORD-{:06}", 4_000 + n)),
        ("order numbers by year", |n| format!("2024-{:06}", 1_200 + n * 3)),
        ("nine digits in a row", |n| format!("{}", 400_000_000 + n)),
        ("ten digits in a row", |n| format!("{}", 4_000_000_000u64 + n)),
        ("eleven digits in a row", |n| format!("{}", 40_000_000_000u64 + n)),
        ("sixteen digits in a row", |n| format!("{}", 4_000_000_000_000_000u64 + n)),
        ("scattered nine digits", |n| format!("{:09}", scattered(n) % 1_000_000_000)),
        ("scattered eleven digits", |n| format!("{:011}", scattered(n) % 100_000_000_000)),
        ("scattered sixteen digits", |n| format!("4{:015}", scattered(n * 31) % 1_000_000_000_000_000)),
        ("scattered fifteen digits", |n| format!("35{:013}", scattered(n * 17) % 10_000_000_000_000)),
        ("seconds since 1970", |n| format!("{}", 1_700_000_000 + scattered(n) % 9_000_000)),
        ("milliseconds since 1970", |n| format!("{}", 1_700_000_000_000u64 + scattered(n) % 9_000_000_000)),
        ("timestamps", |n| format!("2024-03-{:02}T10:{:02}:00", n % 28 + 1, n % 60)),
        ("days", |n| format!("2024-03-{:02}", n % 28 + 1)),
        ("part numbers", |n| format!("AB{:04}-{:02}", scattered(n) % 10_000, n % 100)),
        ("part numbers in words", |n| format!("PN {:03}.{:03}", scattered(n) % 1_000, n % 1_000)),
        ("versions", |n| format!("{}.{}.{}.{}", n % 3, n % 7, n % 20, n % 5)),
        ("prices", |n| format!("{}.{:02}", scattered(n) % 900, n % 100)),
        ("fractions", |n| format!("0.{:04}", scattered(n) % 10_000)),
        ("books", |n| format!("{:09}-{}", scattered(n) % 1_000_000_000, n % 10)),
        ("bar codes", |n| format!("40{:011}", scattered(n) % 100_000_000_000)),
        ("uuids", |n| {
            format!("{:08x}-0000-4000-8000-{:012x}", scattered(n) as u32, scattered(n + 1) & 0xffff_ffff_ffff)
        }),
        ("checksums", |n| format!("{:016x}{:016x}", scattered(n), scattered(n + 3))),
        ("times", |n| format!("{:02}:{:02}:{:02}", n % 24, n % 60, (n * 7) % 60)),
        ("percentages", |n| format!("{} %", n % 101)),
        ("sizes", |n| format!("{}x{}", n % 40 + 600, n % 30 + 400)),
        ("colours", |n| format!("#{:06x}", scattered(n) & 0xff_ffff)),
        ("states of an order", |n| {
            ["open", "paid", "shipped", "cancelled", "returned"][n as usize % 5].to_owned()
        }),
        ("products", |n| {
            ["Blue Lamp", "Oak Table", "Desk", "Steel Chair", "Glass Shelf", "Paper Box"][n as usize % 6]
                .to_owned()
        }),
        ("currencies", |n| ["EUR", "USD", "GBP", "CHF", "SEK"][n as usize % 5].to_owned()),
        ("airports", |n| ["JFK", "LHR", "MAD", "CDG", "FRA", "LIS"][n as usize % 6].to_owned()),
        ("statements", |n| format!("SELECT name, city FROM customers WHERE id = {n} ORDER BY name")),
    ];
    for (what, make) in columns {
        let values: Vec<String> = (0..60).map(make).collect();
        assert_eq!(kind_of(&values), None, "{what}, e.g. {}", values[3]);
    }
}

#[test]
fn the_real_ones_are_seen() {
    type Make = fn(u64) -> String;
    let luhn = |body: String| {
        let with = |check: u64| format!("{body}{check}");
        let valid = |text: &String| ids::is("card", &value::Value::new(text));
        (0..10).map(with).find(valid).unwrap_or_default()
    };
    let cards: Vec<String> =
        (0..60).map(|n| luhn(format!("4{:014}", scattered(n) % 100_000_000_000_000))).collect();
    assert!(kind_of(&cards).is_some_and(|k| k.starts_with("card_number")));
    let columns: [(&str, Make); 6] = [
        ("phone", |n| format!("+34 6{:02} {:03} {:03}", n % 100, scattered(n) % 1_000, n * 13 % 1_000)),
        ("ip_address", |n| {
            format!("{}.{}.{}.{}", scattered(n) % 220 + 11, n * 7 % 250, n * 13 % 250, n * 29 % 250)
        }),
        ("us_ssn", |n| format!("{:03}-{:02}-{:04}", scattered(n) % 600 + 1, n % 98 + 1, n * 37 % 9_000 + 1)),
        ("postal_address", |n| format!("{} Maple Street", n + 1)),
        ("geo", |n| format!("40.{:05},-3.{:05}", scattered(n) % 100_000, n * 977 % 100_000)),
        ("mac_address", |n| format!("00:1b:44:11:3a:{:02x}", n)),
    ];
    for (kind, make) in columns {
        let values: Vec<String> = (0..60).map(make).collect();
        let found = kind_of(&values).unwrap_or_default();
        assert!(found.starts_with(kind), "{kind}: {found}");
    }
}

#[test]
fn neighbours_tell_what_values_alone_do_not() {
    let ty = ColumnType::TEXT;
    let given = ["Ilka", "Bram", "Zofia", "Nuno", "Ewa", "Tariq", "Lotte", "Omar"];
    let family = ["Drozd", "Haverkamp", "Zyskova", "Peixe", "Wrona", "Nasri", "Aerts", "Benslimane"];
    let born = [
        "4/6/1984",
        "11/12/1965",
        "10/5/1996",
        "9/26/1955",
        "7/17/1999",
        "10/8/1943",
        "9/16/1984",
        "2/28/1939",
    ];
    let ages = ["41", "60", "30", "70", "26", "82", "41", "87"];
    let mails: Vec<String> = given.iter().zip(family).map(|(g, f)| format!("{g}.{f}@example.com")).collect();
    let of = |values: &[&'static str]| values.iter().map(|v| Some(*v)).collect::<Vec<_>>();
    let columns = [
        SampledColumn { name: "a", ty: &ty, values: of(&given) },
        SampledColumn { name: "b", ty: &ty, values: of(&family) },
        SampledColumn { name: "c", ty: &ty, values: mails.iter().map(|m| Some(m.as_str())).collect() },
        SampledColumn { name: "d", ty: &ty, values: of(&born) },
        SampledColumn { name: "e", ty: &ty, values: of(&ages) },
    ];
    let kinds: Vec<Option<String>> = detect_table(&columns).into_iter().map(|g| g.map(|g| g.kind)).collect();
    let kinds: Vec<&str> = kinds.iter().map(|k| k.as_deref().unwrap_or("-")).collect();
    assert_eq!(kinds, ["given_name", "family_name", "email", "birth_date", "age"]);
    // The same days and numbers among nobody's are days and numbers.
    let alone: Vec<_> = detect_table(&columns[3..]).into_iter().flatten().collect();
    assert!(alone.is_empty(), "{alone:?}");
}
