//! Any plan that is right, with names and texts as odd as TOML allows. The strategies are boxed, because they
//! nest deep and the stack of a test is small.

use dunlin_plan::*;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn odd() -> BoxedStrategy<String> {
    let odd = prop_oneof!["[a-z]{1,6}", "[\"'\\\\#=.\\[\\]{} \n\r\ta]{1,6}", ".{1,6}"];
    odd.prop_filter("says something", |text: &String| !text.trim().is_empty()).boxed()
}

fn sql() -> BoxedStrategy<Sql> {
    odd().prop_map(|text| Sql { text, span: Span::default() }).boxed()
}

fn word<T: Word + std::fmt::Debug>() -> BoxedStrategy<T> {
    select(T::ALL).boxed()
}

fn date() -> BoxedStrategy<Date> {
    (2020i16..2030, 1i8..13, 1i8..29).prop_map(|(year, month, day)| Date::constant(year, month, day)).boxed()
}

fn options() -> BoxedStrategy<FileOptions> {
    let mark = || of(select(vec![',', ';', '\t', '"', '|', '\'']));
    let encoding = of(select(vec!["utf-8".to_owned(), "windows-1252".to_owned()]));
    (mark(), mark(), of(any::<bool>()), encoding, of(".{0,3}"), of(word()))
        .prop_map(|(delimiter, quote, header, encoding, null, format)| FileOptions {
            delimiter,
            quote,
            header,
            encoding,
            null,
            format,
        })
        .boxed()
}

fn store(name: String, url: StoreUrl) -> BoxedStrategy<StorePlan> {
    let words = (of(odd()), of(odd()), of(word()), of(word()));
    (of("[A-Z]{2}"), any::<bool>(), of(odd()), words, options())
        .prop_map(move |(region, protected, processor, words, options)| StorePlan {
            name: name.clone(),
            url: url.clone(),
            region,
            protected,
            processor,
            agreement: words.0,
            transfer: words.1,
            environment: words.2,
            at_rest: words.3,
            options,
            span: Span::default(),
        })
        .boxed()
}

fn value() -> BoxedStrategy<ColumnValue> {
    let clean = (word::<CleanFn>(), odd(), of("[A-Z]{2}"), vec(odd(), 0..3), vec(odd(), 0..3)).prop_map(
        |(function, from, region, formats, sentinels)| {
            use CleanFn::{Country, Date, Number, Phone, Postcode, Sentinel};
            let regional = matches!(function, Phone | Postcode | Number | Country | Date);
            let keep = |texts: Vec<String>, keep: bool| if keep { texts } else { Vec::new() };
            ColumnValue::Clean {
                function,
                from,
                region: region.filter(|_| regional),
                formats: keep(formats, function == Date),
                sentinels: keep(sentinels, function == Sentinel),
            }
        },
    );
    prop_oneof![sql().prop_map(ColumnValue::Sql), clean].boxed()
}

fn columns() -> BoxedStrategy<Vec<ColumnPlan>> {
    let column = (value(), of(word()), of(word()));
    btree_map(odd(), column, 0..4)
        .prop_map(|columns| {
            let columns = columns.into_iter().map(|(target, (value, kind, protect))| ColumnPlan {
                target,
                value,
                kind,
                protect,
                span: Span::default(),
            });
            columns.collect()
        })
        .boxed()
}

fn rules() -> BoxedStrategy<Vec<RulePlan>> {
    let rule = (sql(), word::<Otherwise>(), btree_map(odd(), sql(), 1..3));
    btree_map(odd(), rule, 0..3)
        .prop_map(|rules| {
            let rules = rules.into_iter().map(|(name, (check, otherwise, fix))| {
                let fix = fix.into_iter().filter(|_| otherwise == Otherwise::Fix);
                let fix = fix.map(|(column, value)| Fix { column, value }).collect();
                RulePlan { name, check, otherwise, fix, span: Span::default() }
            });
            rules.collect()
        })
        .boxed()
}

fn duplicates() -> BoxedStrategy<Duplicates> {
    let line = vec("[a-z]{1,4}", 1..3).prop_map(|columns| columns.join(" + "));
    let within = subsequence(vec![Within::Source, Within::Target], 1..=2);
    (vec(line, 1..3), 0u32..=100, 0u32..=100, within, of(sql()))
        .prop_map(|(match_, a, b, within, survivor)| Duplicates {
            within,
            match_,
            above: f64::from(a.max(b)) / 100.0,
            review: f64::from(a.min(b)) / 100.0,
            survivor,
            span: Span::default(),
        })
        .boxed()
}

fn enrich(store: String) -> BoxedStrategy<Vec<Enrich>> {
    let one = (odd(), odd(), odd(), btree_map(odd(), odd(), 1..3), word());
    vec(one, 0..3)
        .prop_map(move |all| {
            let all = all.into_iter().enumerate().map(|(at, (table, source, side, add, when))| Enrich {
                from: TableRef { store: store.clone(), schema: None, table: Some(table) },
                on: (source, side),
                // Not the name of a column, nor of another enrichment's.
                add: add.into_iter().map(|(target, side)| (format!("added {at} {target}"), side)).collect(),
                when,
                span: Span::default(),
            });
            all.collect()
        })
        .boxed()
}

/// Facts that columns of the table say.
fn facts(columns: &[ColumnPlan]) -> std::collections::BTreeMap<Fact, String> {
    Fact::ALL.iter().copied().zip(columns.iter().map(|column| column.target.clone())).collect()
}

/// One rule of each form over the first column.
fn sets(store: &str, columns: &[ColumnPlan]) -> Vec<SetPlan> {
    let Some(column) = columns.first().map(|column| column.target.clone()) else { return Vec::new() };
    let to = TableRef { store: store.to_owned(), schema: None, table: Some("other".to_owned()) };
    let rules = [
        (SetRule::Unique { unique: vec![column.clone()] }, Otherwise::Quarantine),
        (SetRule::Refers { refers: vec![column.clone()], to, key: vec!["id".to_owned()] }, Otherwise::Warn),
        (SetRule::Sum { sum: column, equals: "-12.50".to_owned() }, Otherwise::Stop),
        (SetRule::Count { at_least: Some(1), at_most: None }, Otherwise::Warn),
    ];
    let set = |(at, (rule, otherwise))| SetPlan {
        name: format!("set {at}"),
        rule,
        otherwise,
        span: Span::default(),
    };
    rules.into_iter().enumerate().map(set).collect()
}

fn table(stores: [String; 3]) -> BoxedStrategy<TablePlan> {
    let [source, target, side] = stores;
    let names = (odd(), of(odd()), odd(), btree_set(odd(), 1..3));
    let words = (of(odd()), of(word()), of(sql()), of(sql()), of(odd()), 0..3u8);
    let drop = btree_map(odd(), odd(), 0..3);
    let parts = (columns(), drop, rules(), of(duplicates()), enrich(side));
    (names, words, parts)
        .prop_map(move |(names, words, parts)| {
            let (columns, drop, rules, duplicates, enrich) = parts;
            // What is added up is a column that the table gets.
            let named = columns.first().map(|column: &ColumnPlan| column.target.clone());
            let totals = names.1.as_ref().and(named).map(|column| TotalsPlan {
                period: words.0.as_ref().map(|_| column.clone()),
                source: words.2.iter().map(|sql| (column.clone(), sql.clone())).collect(),
                sum: vec![column],
                span: Span::default(),
            });
            let sets = sets(&target, &columns);
            let drop = drop.into_iter().map(|(column, reason)| Drop {
                column: format!("dropped {column}"),
                reason,
                span: Span::default(),
            });
            TablePlan {
                from: TableRef { store: source.clone(), schema: names.1, table: Some(names.0) },
                to: TableRef { store: target.clone(), schema: None, table: Some(names.2) },
                key: names.3.into_iter().collect(),
                purpose: words.0,
                collected_for: None,
                basis: words.1,
                facts: facts(&columns),
                retain: words.2,
                where_: words.3,
                columns,
                drop: drop.collect(),
                rules,
                sets,
                totals,
                duplicates,
                enrich,
                into: if words.5 == 1 { IntoMode::Append } else { IntoMode::Empty },
                replace: words.5 == 2,
                subject: words.4,
                on_erasure: if words.5 == 1 { OnErasure::Anonymise } else { OnErasure::Delete },
                span: Span::default(),
                from_span: Span::default(),
            }
        })
        .boxed()
}

fn window() -> BoxedStrategy<Window> {
    let days = subsequence(Day::ALL.to_vec(), 1..=7);
    let zone = select(vec!["Europe/Madrid", "America/New_York", "UTC"]);
    (days, 0i8..24, 0i8..60, 0i8..24, zone, of(1u8..=100))
        .prop_map(|(days, hour, minute, to, zone, load)| Window {
            days,
            from: Time::constant(hour, minute, 0, 0),
            to: if to == hour && minute == 0 { Time::midnight() } else { Time::constant(to, 0, 0, 0) },
            zone: TimeZone::get(zone).unwrap(),
            source_load: load.map(|pause_above_percent| SourceLoad { pause_above_percent }),
        })
        .boxed()
}

fn people() -> BoxedStrategy<Vec<Person>> {
    vec((odd(), word(), of(odd())), 1..4)
        .prop_map(|people| {
            let people = people.into_iter().enumerate().map(|(at, (name, role, organisation))| Person {
                name,
                email: format!("p{at}@example.com"),
                role,
                organisation,
                span: Span::default(),
            });
            people.collect()
        })
        .boxed()
}

fn comply() -> BoxedStrategy<Comply> {
    let waiver = (odd(), odd(), of(date())).prop_map(|(rule, reason, until)| Waiver {
        rule,
        reason,
        by: "p0@example.com".to_owned(),
        until,
        span: Span::default(),
    });
    let says = (odd(), of(odd()), of("[a-j]"), odd(), of(date()));
    let statement = says.prop_map(|(rule, about, ground, says, until)| Statement {
        rule,
        about,
        ground,
        says,
        by: "p0@example.com".to_owned(),
        until,
        span: Span::default(),
    });
    let consequence =
        word::<Otherwise>().prop_filter("no rule mends by a word", |word| *word != Otherwise::Fix);
    let settings = (any::<bool>(), of(1u16..=100), of(date()), btree_map(odd(), consequence, 0..3));
    let packs = subsequence(Pack::ALL.to_vec(), 0..=4);
    (packs, of(odd()), of(odd()), settings, vec(statement, 0..3), vec(waiver, 0..3))
        .prop_map(|(packs, controller, dpia, settings, statements, waivers)| Comply {
            packs,
            controller,
            dpia,
            safe_harbor: settings.0,
            smallest_group: settings.1.map(|years| years + 1),
            evidence_years: settings.1,
            freeze: settings.2,
            otherwise: settings.3,
            statements,
            waivers,
        })
        .boxed()
}

fn notice() -> BoxedStrategy<Notice> {
    ("[a-z]{1,6}\\.md", of(sql()), of(date()))
        .prop_map(|(file, audience, publish)| Notice { file, audience, publish, span: Span::default() })
        .boxed()
}

fn company() -> BoxedStrategy<Company> {
    (odd(), of("[a-z]{1,4}\\.png"), of("#[0-9a-f]{6}"))
        .prop_map(|(name, logo, colour)| Company {
            name,
            logo,
            colour,
            contact: Some("privacy@example.com".to_owned()),
        })
        .boxed()
}

fn stores_and_tables() -> BoxedStrategy<(Vec<StorePlan>, Vec<TablePlan>)> {
    (btree_set(odd(), 3), odd())
        .prop_flat_map(|(names, path)| {
            let names: Vec<String> = names.into_iter().collect();
            let [a, b, c] = [names[0].clone(), names[1].clone(), names[2].clone()];
            let stores = (
                store(a.clone(), StoreUrl::Env("URL".to_owned())),
                store(b.clone(), StoreUrl::Secret(path)),
                store(c.clone(), StoreUrl::Literal("file:out/".to_owned())),
            );
            let tables = vec(table([a, b, c]), 0..4).prop_map(|mut tables| {
                tables.sort_by_key(|table| std::cmp::Reverse(table.label()));
                tables.dedup_by_key(|table| table.label());
                tables
            });
            (stores.prop_map(|(a, b, c)| vec![a, b, c]), tables)
        })
        .boxed()
}

/// A plan that is right.
pub(crate) fn plan() -> BoxedStrategy<Plan> {
    let head = (odd(), of(odd()), of(company()), of((odd(), odd(), of(odd()), of(odd()))));
    let rest = (people(), of(window()), of(comply()), vec(notice(), 0..3), any::<bool>());
    (head, stores_and_tables(), rest)
        .prop_map(|(head, (stores, tables), rest)| Plan {
            name: head.0,
            summary: head.1,
            company: head.2,
            stores: stores.into_iter().map(|store| (store.name.clone(), store)).collect(),
            subject: head.3.map(|(table, id, email, locale)| Subject {
                table: TableRef { store: "atlas".to_owned(), schema: None, table: Some(table) },
                id,
                email,
                erase_source: locale.is_some(),
                locale,
                span: Span::default(),
            }),
            people: rest.0,
            window: rest.1,
            comply: rest.2,
            tables,
            notices: rest.3,
            ledger: rest.4.then(|| LedgerPin { verifier: "atlas+0a1b2c3d+AAAA".to_owned() }),
            findings: Vec::new(),
        })
        .boxed()
}
