//! Writes a notice as a file. Reading what is written gives the notice back, whatever stands in it.

use std::fmt::Write;

use crate::notice::{Notice, Slot};
use crate::parse::FENCE;
use crate::vocabulary::{SlotName, Word};

/// The notice as the text of a file.
pub fn print(notice: &Notice) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write_notice(&mut out, notice);
    out
}

fn write_notice(out: &mut String, notice: &Notice) -> std::fmt::Result {
    writeln!(out, "{FENCE}")?;
    writeln!(out, "notice = {}", quoted(&notice.id))?;
    writeln!(out, "locale = {}", quoted(&notice.locale.to_string()))?;
    writeln!(out, "version = {}", notice.version)?;
    writeln!(out, "headline = {}", quoted(&notice.headline))?;
    writeln!(out, "stream = {}", quoted(notice.stream.as_str()))?;
    if let Some(audience) = &notice.audience {
        writeln!(out, "audience = {}", quoted(audience))?;
    }
    writeln!(out, "\n# What everybody reads: at most 60 words.\n[first]")?;
    writeln!(out, "changes = {}", quoted(&notice.first.changes))?;
    writeln!(out, "stays = {}", quoted(&notice.first.stays))?;
    writeln!(out, "you_can = {}", quoted(&notice.first.you_can))?;
    if let Some(by) = notice.first.by {
        writeln!(out, "by = {by}")?;
    }
    write_slots(out, notice)?;
    for message in &notice.messages {
        writeln!(out, "\n[[message]]\nwhen = {}", quoted(message.when.as_str()))?;
        writeln!(out, "days = {}", message.days)?;
        writeln!(out, "subject = {}", quoted(&message.subject))?;
        if let Some(text) = &message.text {
            writeln!(out, "text = {}", quoted(text))?;
        }
    }
    for over in &notice.overrides {
        writeln!(out, "\n[[override]]\nrule = {}", quoted(&over.rule))?;
        writeln!(out, "reason = {}\nby = {}", quoted(&over.reason), quoted(&over.by))?;
    }
    if let Some(claims) = &notice.claims {
        writeln!(
            out,
            "\n# What this text states about the plan. dunlin writes it; the gate holds it against the plan."
        )?;
        writeln!(out, "[facts]\nfingerprint = {}", quoted(&claims.fingerprint))?;
        for (subject, values) in &claims.stated {
            let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            writeln!(out, "{subject} = [{}]", values.join(", "))?;
        }
    }
    writeln!(out, "{FENCE}")?;
    out.push_str(&notice.body);
    Ok(())
}

fn write_slots(out: &mut String, notice: &Notice) -> std::fmt::Result {
    if notice.slots.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n# What GDPR Art. 13 and 14 ask for; each is answered, or says why it does not apply.\n[slot]"
    )?;
    for name in SlotName::ALL {
        match notice.slots.get(name) {
            None => continue,
            Some(Slot::Filled(text)) => write!(out, "{name} = {}", quoted(text))?,
            Some(Slot::NotApplicable(why)) => write!(out, "{name} = {{ not_applicable = {} }}", quoted(why))?,
        }
        writeln!(out, " # {}", name.article())?;
    }
    Ok(())
}

/// A basic TOML string on one line (TOML 1.0, "String").
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
