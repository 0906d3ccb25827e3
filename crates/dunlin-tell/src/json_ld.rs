//! The notice as linked data: JSON-LD in the terms of the W3C Data Privacy Vocabulary 2.0 (`https://w3id.org/dpv`),
//! its extensions for personal data (PD), places (LOC) and the GDPR.

use dunlin_plan::Basis;
use serde_json::{Map, Value, json};

use crate::facts::{Facts, Place, once, pd_term};
use crate::notice::Notice;
use crate::vocabulary::Lang;
use crate::words;

/// The notice and the facts behind it, for `<script type="application/ld+json">` or a file beside the page. `url` is
/// the page's own address, and the document's id.
pub fn json_ld(notice: &Notice, facts: &Facts, url: &str) -> Value {
    json!({
        "@context": {
            "dpv": "https://w3id.org/dpv#",
            "pd": "https://w3id.org/dpv/pd#",
            "loc": "https://w3id.org/dpv/loc#",
            "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
            "dct": "http://purl.org/dc/terms/",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": url,
        "@type": "dpv:PrivacyNotice",
        "dct:title": { "@value": notice.headline, "@language": notice.locale.to_string() },
        "dct:language": notice.locale.to_string(),
        "dct:hasVersion": notice.version.to_string(),
        "dct:identifier": facts.fingerprint().to_string(),
        "dpv:hasDataController": controller(facts),
        "dpv:hasProcess": process(facts),
    })
}

fn ids(terms: impl IntoIterator<Item = String>) -> Value {
    once(terms).into_iter().map(|term| json!({ "@id": term })).collect()
}

fn controller(facts: &Facts) -> Value {
    let mut object = Map::from_iter([("@type".to_owned(), json!("dpv:DataController"))]);
    object.extend(facts.controller.as_ref().map(|name| ("dpv:hasName".to_owned(), json!(name))));
    object.extend(facts.contact.as_ref().map(|contact| ("dpv:hasContact".to_owned(), json!(contact))));
    Value::Object(object)
}

fn process(facts: &Facts) -> Value {
    let mut object = Map::new();
    let mut add = |key: &str, value: Value| {
        let empty = value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            object.insert(key.to_owned(), value);
        }
    };
    add("@type", json!("dpv:Process"));
    add("dpv:hasProcessing", ids(["dpv:Transfer".to_owned(), "dpv:Store".to_owned()]));
    let purposes = facts.purposes.iter().filter_map(|purpose| purpose.term.clone());
    add("dpv:hasPurpose", ids(purposes.filter(|term| is_term(term))));
    let bases = facts.purposes.iter().filter_map(|purpose| purpose.basis);
    add("dpv:hasLegalBasis", ids(bases.map(|basis| article(basis).to_owned())));
    add(
        "dpv:hasPersonalData",
        ids(facts.data.iter().filter_map(|datum| pd_term(datum.kind)).map(str::to_owned)),
    );
    add("dpv:hasDataProcessor", facts.to.iter().filter_map(processor).collect());
    add("dpv:hasStorageCondition", storage(facts));
    add("dpv:hasDataSource", facts.from.iter().map(source).collect());
    Value::Object(object)
}

/// A term with its prefix, as the context knows it.
fn is_term(term: &str) -> bool {
    term.split_once(':').is_some_and(|(prefix, name)| {
        prefix == "dpv" && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    })
}

/// The terms of the DPV's GDPR extension for Art. 6(1).
fn article(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent => "eu-gdpr:A6-1-a",
        Basis::Contract => "eu-gdpr:A6-1-b",
        Basis::LegalObligation => "eu-gdpr:A6-1-c",
        Basis::VitalInterests => "eu-gdpr:A6-1-d",
        Basis::PublicTask => "eu-gdpr:A6-1-e",
        Basis::LegitimateInterests => "eu-gdpr:A6-1-f",
    }
}

fn location(place: &Place) -> Option<Value> {
    place.region.as_ref().map(|region| json!({ "@id": format!("loc:{region}") }))
}

fn processor(place: &Place) -> Option<Value> {
    let name = place.processor.as_ref()?;
    let mut value = json!({ "@type": "dpv:DataProcessor", "dpv:hasName": name });
    if let Some(location) = location(place) {
        value["dpv:hasLocation"] = location;
    }
    Some(value)
}

fn source(place: &Place) -> Value {
    let mut value = json!({ "@type": "dpv:DataSource", "dct:title": place.store });
    if let Some(location) = location(place) {
        value["dpv:hasLocation"] = location;
    }
    value
}

fn storage(facts: &Facts) -> Value {
    let places = facts.to.iter().filter_map(location);
    let mut conditions: Vec<Value> = once(places)
        .into_iter()
        .map(|at| json!({ "@type": "dpv:StorageLocation", "dpv:hasLocation": at }))
        .collect();
    let until = facts.dates.old_copy_until.map(|date| {
        json!({
            "@type": "dpv:StorageDeletion",
            "dct:description": format!("the copy at the old place is deleted on {}", words::date(Lang::En, date)),
            "dct:valid": { "@value": date.to_string(), "@type": "xsd:date" },
        })
    });
    conditions.extend(until);
    let kept = facts.retention.iter().filter_map(|kept| kept.length.as_ref()).map(|length| {
        use crate::facts::Unit;
        let letter = match length.unit {
            Unit::Year => 'Y',
            Unit::Month => 'M',
            Unit::Week => 'W',
            Unit::Day => 'D',
        };
        let duration = format!("P{}{letter}", length.count);
        json!({ "@type": "dpv:StorageDuration", "dpv:hasDuration": { "@value": duration, "@type": "xsd:duration" } })
    });
    conditions.extend(once(kept));
    Value::Array(conditions)
}
