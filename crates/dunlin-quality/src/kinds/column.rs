//! What one column says about itself: its name and its values, weighed against each other. Its neighbours are asked
//! afterwards ([`super::neighbours`]).

use std::collections::HashSet;

use dunlin_connect::ColumnType;

use super::lexical::Lexical;
use super::names::{Said, said};
use super::value::Value;
use super::{forms, ids, words};

/// Different values that are looked at, at most: more do not change the answer.
const LOOKED_AT: usize = 200;
/// Fewer different values than this prove nothing by themselves.
const DIFFERENT_MIN: usize = 4;

/// A reading of a column: what it may hold and why.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) kind: &'static str,
    pub(super) detail: &'static str,
    pub(super) confidence: f64,
    pub(super) evidence: Vec<String>,
}

/// A column while it is judged.
pub(super) struct Seen<'a> {
    /// Its values row by row: blank ones and stand-ins for "unknown" are `None`.
    pub(super) rows: Vec<Option<&'a str>>,
    /// What its name says.
    pub(super) said: Vec<Said>,
    /// Its values, each once.
    pub(super) values: Vec<Value<'a>>,
    /// Rows that have a value.
    pub(super) known: usize,
    /// Shares of the lists of words among the values.
    pub(super) lexical: Lexical,
    /// Its readings, the surest first.
    pub(super) readings: Vec<Reading>,
    /// The text of a type that can only be what its name says.
    pub(super) ty: &'a ColumnType,
}

impl<'a> Seen<'a> {
    /// Reads a column by itself.
    pub(super) fn new(name: &str, ty: &'a ColumnType, sample: &[Option<&'a str>]) -> Self {
        let known = |v: &&'a str| !v.is_empty() && !crate::is_sentinel(v, &[]);
        let rows: Vec<Option<&str>> = sample.iter().map(|v| v.map(str::trim).filter(known)).collect();
        let mut met = HashSet::new();
        let different = rows.iter().flatten().filter(|v| met.insert(**v)).take(LOOKED_AT);
        let values: Vec<Value> = different.map(|v| Value::new(v)).collect();
        let known = rows.iter().flatten().count();
        let lexical = Lexical::of(&values);
        let mut seen = Self { rows, said: said(name), values, known, lexical, readings: Vec::new(), ty };
        if !matches!(ty, ColumnType::Binary | ColumnType::Opaque { .. }) {
            seen.read();
        }
        seen
    }

    /// The surest reading.
    pub(super) fn best(&self) -> Option<&Reading> {
        self.readings.first()
    }

    /// Whether the surest reading is of one of these kinds and sure enough to tell something about neighbours.
    pub(super) fn is(&self, kinds: &[&str]) -> bool {
        self.best().is_some_and(|r| r.confidence >= 0.55 && kinds.contains(&r.kind))
    }

    /// Adds a reading, unless there is a surer one of the same kind.
    pub(super) fn add(&mut self, reading: Reading) {
        if reading.kind == "none" || !type_allows(reading.kind, reading.detail, self.ty) {
            return;
        }
        let same = |r: &&mut Reading| r.kind == reading.kind && r.detail == reading.detail;
        match self.readings.iter_mut().find(same) {
            Some(there) if there.confidence >= reading.confidence => return,
            Some(there) => {
                let before = std::mem::take(&mut there.evidence);
                *there = reading;
                there.evidence.splice(0..0, before);
            }
            None => self.readings.push(reading),
        }
        self.readings.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    }

    /// How surely the name says that the column is of something else.
    pub(super) fn denied(&self) -> f64 {
        self.said.iter().filter(|s| s.kind == "none").map(|s| s.strength).fold(0.0, f64::max)
    }

    /// The share of the different values for which something holds.
    pub(super) fn share(&self, holds: impl Fn(&Value) -> bool) -> f64 {
        self.values.iter().filter(|v| holds(v)).count() as f64 / self.values.len().max(1) as f64
    }

    fn read(&mut self) {
        let mut proofs = Vec::new();
        if self.values.len() >= DIFFERENT_MIN {
            self.by_ids(&mut proofs);
        }
        self.by_forms(&mut proofs);
        self.by_words(&mut proofs);
        let denied = self.denied();
        for said in self.said.clone() {
            self.by_name(&said, &proofs);
        }
        for mut proof in proofs {
            if denied > 0.0 && proof.confidence < 0.95 {
                proof.confidence *= 1.0 - 0.6 * denied;
            }
            self.add(proof);
        }
    }

    /// What check digits prove: nearly all values of the form pass, where by accident few would.
    fn by_ids(&self, proofs: &mut Vec<Reading>) {
        let all = self.values.len() as f64;
        let possible = self.values.iter().filter(|v| v.digits >= 3 && !v.compact().is_empty()).count();
        if (possible as f64) < all * 0.4 {
            return;
        }
        for id in ids::all() {
            if !self.begins(id.is) {
                continue;
            }
            let passing = self.values.iter().filter(|v| (id.is)(v)).count();
            if (passing as f64) < all * 0.4 || passing < DIFFERENT_MIN {
                continue;
            }
            let formed = self.values.iter().filter(|v| (id.form)(v)).count();
            let share = passing as f64 / all;
            // Without a check digit the letters in front must be many people's, not one catalogue's.
            let unchecked = matches!(id.detail, "uk_nino" | "in_pan" | "us_mbi" | "mx_rfc" | "us_dea");
            if unchecked && self.heads(2) < 3.min(self.values.len() / 2) {
                continue;
            }
            if !beyond_chance(passing, formed, id.chance) || (id.chance > 0.05 && share < 0.75) {
                continue;
            }
            // 45 % is a dirty column; from 90 % on nothing else explains it.
            let confidence = (0.55 + 0.43 * ((share - 0.4) / 0.5)).min(0.98);
            let evidence =
                vec![format!("{passing} of {} sampled values are valid as {}", self.values.len(), id.name)];
            proofs.push(Reading { kind: id.kind, detail: id.detail, confidence, evidence });
        }
    }

    fn by_forms(&self, proofs: &mut Vec<Reading>) {
        for form in &forms::FORMS {
            let different = self.values.len();
            let few = matches!(form.kind, "gender" | "special_category") || form.detail == "name_part";
            let least = if few { 2 } else { DIFFERENT_MIN };
            if different < least || (few && self.known < DIFFERENT_MIN) {
                continue;
            }
            if !self.begins(form.is) {
                continue;
            }
            let passing = self.values.iter().filter(|v| (form.is)(v)).count();
            let share = passing as f64 / different as f64;
            if share < form.share || passing < least {
                continue;
            }
            // Few values of a form that much has are few reasons.
            let accident = form.chance.powi(passing.min(12) as i32);
            if !few && accident > 0.02 {
                continue;
            }
            let mut confidence =
                form.sure * (0.6 + 0.4 * ((share - form.share) / (1.0 - form.share).max(0.01)).min(1.0));
            confidence *= self.doubt(form.kind, form.detail);
            if form.kind == "ip_address" && self.looks_like_versions() {
                continue;
            }
            let what = if form.detail.is_empty() { form.kind } else { form.detail };
            let evidence = vec![format!("{passing} of {different} sampled values have the form of `{what}`")];
            proofs.push(Reading { kind: form.kind, detail: form.detail, confidence, evidence });
        }
        self.codes(proofs);
        self.padded_codes(proofs);
    }

    /// Five digits each, some with a zero in front, scattered over the whole range: postcodes of the United States,
    /// Germany, Spain, France or Italy. Numbers that are padded while they count up do not scatter.
    fn padded_codes(&self, proofs: &mut Vec<Reading>) {
        let codes: Vec<u32> = self
            .values
            .iter()
            .filter(|v| v.digits == 5 && v.chars == 5)
            .filter_map(|v| v.text.parse().ok())
            .collect();
        if codes.len() < 8 || codes.len() * 20 < self.values.len() * 19 {
            return;
        }
        let padded = codes.iter().filter(|c| **c < 10_000).count();
        let rising = codes.windows(2).filter(|pair| pair[0] < pair[1]).count();
        let spread =
            codes.iter().max().zip(codes.iter().min()).is_some_and(|(high, low)| high - low > 40_000);
        if padded > 0 && padded * 3 < codes.len() && spread && rising * 4 < codes.len() * 3 {
            let evidence =
                vec![format!("{} values of five digits, scattered, some with a zero in front", codes.len())];
            proofs.push(Reading { kind: "postcode", detail: "", confidence: 0.58, evidence });
        }
    }

    /// Whether any of the first values has a form. What a good part of a column has, one of twelve has; this spares most
    /// columns most questions.
    fn begins(&self, is: fn(&Value) -> bool) -> bool {
        self.values.iter().take(12).any(is)
    }

    /// How many different beginnings of so many bytes there are.
    fn heads(&self, bytes: usize) -> usize {
        self.values.iter().map(|v| &v.compact()[..bytes.min(v.compact().len())]).collect::<HashSet<_>>().len()
    }

    /// What a form leaves open that the column as a whole does not.
    fn doubt(&self, kind: &str, detail: &str) -> f64 {
        match (kind, detail) {
            // A classification of diseases uses its subdivisions; part numbers have none.
            ("health_code", "icd10") if self.share(|v| v.text.contains('.')) < 0.3 => 0.4,
            ("health_code", "icd9") => {
                let padded = self.values.iter().any(|v| v.text.starts_with('0'));
                let lengths: HashSet<usize> = self
                    .values
                    .iter()
                    .map(|v| v.text.split_once('.').map_or(0, |(_, rest)| rest.len()))
                    .collect();
                if padded && lengths.len() >= 2 { 1.0 } else { 0.3 }
            }
            ("health_code", "drug") if self.lexical.person > 0.4 => 0.5,
            // Letters alone: M and F say sex, M and X may say anything.
            ("gender", _) => {
                let folded: Vec<String> = self.values.iter().map(|v| v.folded().to_owned()).collect();
                let has = |w: &str| folded.iter().any(|f| f == w);
                let words = self.values.iter().any(|v| v.chars > 2);
                let both = (has("m") && (has("f") || has("w"))) || (has("h") && has("m"));
                if folded.len() > 6 || !(words || both) { 0.3 } else { 1.0 }
            }
            ("special_category", _) => {
                let colours = self.share(|v| {
                    matches!(v.folded(), "black" | "white" | "green" | "gay" | "straight" | "liberal")
                });
                if colours > 0.3 || self.values.len() < 3 { 0.4 } else { 1.0 }
            }
            ("phone", "") if self.share(|v| v.text.starts_with('+')) < 0.5 && self.same_shape_ids() => 0.5,
            _ => 1.0,
        }
    }

    /// `1.2.3.4` and its neighbours: numbers of versions, not of machines.
    fn looks_like_versions(&self) -> bool {
        let small = |v: &Value| {
            v.text.split('.').all(|p| p.parse::<u16>().is_ok_and(|n| n < 30)) && !v.text.starts_with("10.")
        };
        self.share(small) > 0.8
    }

    /// Groups in which only the last digits count up: order numbers.
    fn same_shape_ids(&self) -> bool {
        let heads: HashSet<&str> =
            self.values.iter().filter_map(|v| v.text.get(..v.text.len().min(5))).collect();
        self.values.len() >= 8 && heads.len() <= 1
    }

    /// Two letters in capitals: countries or regions, told apart by which of the lists explains more.
    fn codes(&self, proofs: &mut Vec<Reading>) {
        let codes: Vec<&str> = self.values.iter().map(|v| v.text).collect();
        let capitals = |n: usize| {
            codes.iter().filter(|c| c.len() == n && c.bytes().all(|b| b.is_ascii_uppercase())).count() as f64
                / codes.len().max(1) as f64
        };
        if codes.len() < DIFFERENT_MIN || capitals(2) < 0.9 {
            return;
        }
        let regions = words::region_codes(&codes);
        let countries = self.share(|v| forms::fits("country", v.text));
        let evidence = |what: &str, share: f64| {
            vec![format!(
                "{:.0} of {} sampled values are codes of {what}",
                share * codes.len() as f64,
                codes.len()
            )]
        };
        if countries >= 0.95 && countries >= regions {
            let confidence = if codes.len() >= 8 { 0.8 } else { 0.65 };
            proofs.push(Reading {
                kind: "country",
                detail: "",
                confidence,
                evidence: evidence("countries", countries),
            });
        }
        if regions >= 0.9 && (regions > countries || countries < 0.95) {
            let confidence = if codes.len() >= 8 { 0.75 } else { 0.6 };
            proofs.push(Reading {
                kind: "postal_address",
                detail: "region",
                confidence,
                evidence: evidence("one country's regions", regions),
            });
        }
    }

    /// What lists of names and the letters of words say.
    fn by_words(&self, proofs: &mut Vec<Reading>) {
        let l = self.lexical;
        if self.values.len() < DIFFERENT_MIN || l.wordy < 0.8 || l.ordinary > 0.5 {
            return;
        }
        let percent = |share: f64| (share * 100.0).round();
        let mut push = |kind, detail, share: f64, sure: f64, what: &str| {
            let evidence = vec![format!("{}% of the sampled values look like {what}", percent(share))];
            proofs.push(Reading { kind, detail, confidence: sure.min(0.94), evidence });
        };
        let single = l.single >= 0.6;
        if single && l.known_given >= 0.2 && l.given >= 0.4 && l.given >= l.family && l.given > l.city * 1.2 {
            push("given_name", "", l.given, 0.5 + 0.6 * (l.given - 0.3), "given names");
        }
        if single
            && l.known_family >= 0.15
            && l.family >= 0.4
            && l.family > l.given
            && l.family > l.city * 1.1
        {
            push("family_name", "", l.family, 0.5 + 0.6 * (l.family - 0.32), "family names");
        }
        if !single && l.person >= 0.35 && l.person > l.city && l.ordinary < 0.3 {
            push("person_name", "", l.person, 0.5 + 0.55 * (l.person - 0.3), "names of persons");
        }
        if l.known_city >= 0.3
            && l.known_city > l.known_given
            && l.city >= l.family
            && l.region < l.known_city
        {
            push("city", "", l.known_city, 0.5 + 0.6 * (l.known_city - 0.25), "towns");
        }
        if l.region >= 0.5 && l.region > l.known_given && l.region > l.city * 0.8 {
            push("postal_address", "region", l.region, 0.5 + 0.45 * (l.region - 0.4), "regions");
        }
    }

    fn by_name(&mut self, said: &Said, proofs: &[Reading]) {
        if said.kind == "none" || !type_allows(said.kind, said.detail, self.ty) {
            return;
        }
        let mut evidence = vec![format!("the name says `{}`", said.word)];
        let proof = |r: &&Reading| {
            r.kind == said.kind && (said.detail.is_empty() || r.detail.is_empty() || r.detail == said.detail)
        };
        let proven = proofs.iter().filter(proof).max_by(|a, b| a.confidence.total_cmp(&b.confidence));
        let judged: Vec<bool> =
            self.values.iter().filter_map(|v| forms::agrees(said.kind, said.detail, v)).collect();
        let agreeing = judged.iter().filter(|a| **a).count();
        let share = (!judged.is_empty()).then(|| agreeing as f64 / judged.len() as f64);
        let lexical = self.lexical.supports(said.kind, said.detail);
        let mut confidence = match share {
            None => said.strength * 0.9,
            // A name that the values contradict is a name of something else, unless the column is a mess.
            Some(share) => said.strength * (0.25 + 0.75 * share.sqrt()).min(0.99),
        };
        if let Some(share) = share {
            evidence.push(format!("{agreeing} of {} sampled values agree", judged.len()));
            if share == 0.0 {
                confidence *= 0.5;
            }
        }
        if said.ambiguous {
            let by_values = proven.is_some() || lexical >= 0.25 || narrow(said, share);
            confidence =
                if by_values && !self.values.is_empty() { confidence * 0.95 } else { confidence * 0.4 };
        }
        // Ordinary words under a name that says `name` are names of something else.
        if matches!(said.kind, "person_name" | "given_name" | "family_name")
            && said.word.len() <= 7
            && said.detail.is_empty()
            && self.lexical.ordinary > 0.4
        {
            confidence *= 0.5;
        }
        let mut detail = said.detail;
        if let Some(proven) = proven {
            confidence = 1.0 - (1.0 - confidence.min(0.98)) * (1.0 - proven.confidence * 0.8);
            evidence.extend(proven.evidence.iter().cloned());
            detail = if detail.is_empty() { proven.detail } else { detail };
        }
        self.add(Reading { kind: said.kind, detail, confidence: confidence.min(0.99), evidence });
    }
}

/// Kinds whose supporting form is narrow enough to settle an ambiguous word.
fn narrow(said: &Said, share: Option<f64>) -> bool {
    let strict = matches!(
        (said.kind, said.detail),
        ("age" | "gender" | "geo" | "postcode" | "free_text" | "country" | "card_number", _)
            | ("person_name", "name_part")
            | ("credential", "card_cvv" | "pin")
            | ("device_id", "vin" | "plate" | "serial")
            | ("health_code", "us_npi" | "us_dea" | "mrn" | "health_plan")
            | ("national_id" | "driving_licence" | "phone" | "url" | "bic", _)
    );
    strict && share.is_some_and(|s| s >= 0.8)
}

/// Whether so many passing values of a form are more than accident explains: the normal approximation of the binomial
/// tail, four standard deviations out, and three of four besides.
fn beyond_chance(passing: usize, formed: usize, chance: f64) -> bool {
    let (passing, formed) = (passing as f64, formed.max(1) as f64);
    let deviation = (formed * chance * (1.0 - chance)).sqrt();
    passing >= formed * 0.6 && passing >= formed * chance + 4.0 * deviation && chance.powf(passing) < 1e-3
}

/// Whether a column of this type can hold the kind.
pub(super) fn type_allows(kind: &str, detail: &str, ty: &ColumnType) -> bool {
    match ty {
        ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampTz => kind == "birth_date",
        ColumnType::Bool => matches!(kind, "special_category" | "gender"),
        ColumnType::Time | ColumnType::Json | ColumnType::Jsonb => false,
        ColumnType::Binary | ColumnType::Opaque { .. } => false,
        ColumnType::Uuid => kind == "device_id",
        ColumnType::Int16 => matches!(kind, "age" | "gender") || detail == "card_cvv",
        ColumnType::Int32 | ColumnType::Int64 | ColumnType::Numeric => {
            const NUMBERS: [&str; 13] = [
                "age",
                "phone",
                "postcode",
                "card_number",
                "us_ssn",
                "national_id",
                "tax_id",
                "account_number",
                "passport",
                "driving_licence",
                "gender",
                "geo",
                "device_id",
            ];
            NUMBERS.contains(&kind)
                || matches!(
                    detail,
                    "card_cvv" | "pin" | "us_npi" | "mrn" | "health_plan" | "us_aba" | "bank_code"
                )
        }
        ColumnType::Decimal { scale, .. } => {
            (*scale > 0 && kind == "geo") || (*scale == 0 && kind == "phone")
        }
        ColumnType::Float32 | ColumnType::Float64 => matches!(kind, "geo" | "age"),
        _ => true,
    }
}
