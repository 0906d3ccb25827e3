//! PostgreSQL's normal form of `jsonb`, so that what a jsonb column gives back is known before it is written.
//!
//! Rules (PostgreSQL manual, 8.14; `jsonb.c`): object keys sorted by length in bytes, then bytewise; the last of equal keys wins;
//! `": "` and `", "` as separators; numbers as `numeric` prints them (exponents expanded, trailing zeros kept); strings
//! re-escaped; `\u0000` is refused.

use serde_json::value::RawValue;

/// What a `jsonb` column makes of a text.
pub struct Form {
    /// The text that it gives back.
    pub text: String,
    /// Whether an object names a key twice, of which only the last is kept.
    pub repeated: bool,
}

impl Form {
    fn push(&mut self, c: char) {
        self.text.push(c);
    }

    fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

/// What PostgreSQL would give back, or `None` for JSON it refuses.
pub fn normal_form(json: &str) -> Option<Form> {
    let mut out = Form { text: String::with_capacity(json.len() + 8), repeated: false };
    write_value(json.trim_matches([' ', '\t', '\n', '\r']), &mut out)?;
    Some(out)
}

fn write_value(text: &str, out: &mut Form) -> Option<()> {
    match text.as_bytes().first()? {
        b'{' => write_object(text, out),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_value(item.get(), out)?;
            }
            out.push(']');
            Some(())
        }
        b'"' => write_string(&serde_json::from_str::<String>(text).ok()?, out),
        b't' | b'f' | b'n' => {
            out.push_str(text);
            Some(())
        }
        _ => write_number(text, out),
    }
}

fn write_object(text: &str, out: &mut Form) -> Option<()> {
    let Members(mut members) = serde_json::from_str(text).ok()?;
    // Stable, so of equal keys the last stays last.
    members.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes())));
    let mut first = true;
    out.push('{');
    for (i, (key, value)) in members.iter().enumerate() {
        if members.get(i + 1).is_some_and(|(next, _)| next == key) {
            out.repeated = true;
            continue;
        }
        if !first {
            out.push_str(", ");
        }
        first = false;
        write_string(key, out)?;
        out.push_str(": ");
        write_value(value.get(), out)?;
    }
    out.push('}');
    Some(())
}

/// The members of an object in order, equal keys included.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn write_string(text: &str, out: &mut Form) -> Option<()> {
    use std::fmt::Write;
    out.push('"');
    for c in text.chars() {
        match c {
            '\0' => return None,
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => write!(out.text, "\\u{:04x}", c as u32).ok()?,
            c => out.push(c),
        }
    }
    out.push('"');
    Some(())
}

fn write_number(text: &str, out: &mut Form) -> Option<()> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |d| ("-", d));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if exponent.abs() > 1_000 {
        return None;
    }
    let mut all = format!("{whole}{fraction}");
    let mut point = whole.len() as i32 + exponent;
    while point > all.len() as i32 {
        all.push('0');
    }
    while point < 1 {
        all.insert(0, '0');
        point += 1;
    }
    let (before, after) = all.split_at(point as usize);
    let before = before.trim_start_matches('0');
    let before = if before.is_empty() { "0" } else { before };
    let zero = before == "0" && after.bytes().all(|b| b == b'0');
    out.push_str(if zero { "" } else { sign });
    out.push_str(before);
    if !after.is_empty() {
        out.push('.');
        out.push_str(after);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::normal_form;

    #[test]
    fn is_what_postgresql_prints() {
        // Each right side was printed by PostgreSQL 15: select $1::jsonb::text.
        for (json, want) in [
            (r#"{"bb":1,"a":2}"#, r#"{"a": 2, "bb": 1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a": 2}"#),
            ("[1.10,1e2,-0,-0.0,1.5e-3]", "[1.10, 100, 0, 0.0, 0.0015]"),
            (r#"{ "é" : "\u00e9\n" , "x":{ } }"#, r#"{"x": {}, "é": "é\n"}"#),
            ("  null ", "null"),
        ] {
            assert_eq!(normal_form(json).map(|f| f.text).as_deref(), Some(want));
        }
        assert!(normal_form(r#""\u0000""#).is_none());
        assert!(normal_form(r#"{"a":1,"a":2}"#).is_some_and(|f| f.repeated));
        assert!(normal_form(r#"[{"a":1},{"a":2}]"#).is_some_and(|f| !f.repeated));
    }
}
