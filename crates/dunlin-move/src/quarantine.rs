//! A row in quarantine: what is kept of it, and how it is packed into an encrypted fragment.
//!
//! Three forms. *Source*: the row as read, values in canonical text, so that it can be mapped again, with a fix if need
//! be. *Raw*: the bytes of a row that could not be read. *Target*: a row that was loaded and had to leave again (a
//! violator of a key that was added after the load); it goes back as it is. A row of the short way that no other system
//! could hold also keeps the bytes in which it travelled, and goes back in them.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use dunlin_connect::canon::RowHash;
use dunlin_connect::{ColumnType, array_to_text};
use serde::{Deserialize, Serialize};

/// In which form the values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Values of the source columns that were read, in canonical text.
    Source,
    /// The raw fields of a row that could not be read, in hex.
    Raw,
    /// Values of the mapped target columns, in canonical text.
    Target,
}

/// A row that waits for a person. It holds customer values: no `Debug`, and it leaves only through the gate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedRow {
    /// The split it came from.
    pub split: u32,
    /// Where it stands in the source.
    pub position: u64,
    /// The byte of its file at which its record begins, where it is a record of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// Why it waits: a reason's code or `rule:NAME`.
    pub reason: String,
    /// The column at fault.
    pub column: Option<String>,
    /// The target's constraint that said no.
    pub constraint: Option<String>,
    /// The shape of the value at fault: digits as 9, letters as A.
    pub pattern: Option<String>,
    /// In which form the values are kept.
    pub form: Form,
    /// The values.
    pub fields: Vec<Option<String>>,
    /// The row as it travelled, where its text does not say everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<InWire>,
    /// The row's hash in source space.
    pub source: RowHash,
}

/// A row of the short way that holds values which only its store can: it can be released as it is, and not be mapped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InWire {
    /// The bytes of the wire, in hex.
    bytes: String,
    /// The first half of the hash of the columns that name it, in hex.
    name: String,
}

impl InWire {
    /// From the bytes of a row and its name.
    pub fn new(bytes: &[u8], name: [u8; 16]) -> Self {
        Self { bytes: hex::encode(bytes), name: hex::encode(name) }
    }

    /// The bytes and the name; `None` where they are not what [`InWire::new`] made.
    pub fn parts(&self) -> Option<(Vec<u8>, [u8; 16])> {
        Some((hex::decode(&self.bytes).ok()?, hex::decode(&self.name).ok()?.try_into().ok()?))
    }
}

impl QuarantinedRow {
    /// As the payload of a fragment.
    pub fn pack(&self) -> Vec<u8> {
        // Strings, numbers and options always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From the payload of a fragment.
    pub fn unpack(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }

    /// The raw fields of a row in raw form.
    pub fn raw_fields(&self) -> Vec<Option<Vec<u8>>> {
        self.fields.iter().map(|f| f.as_ref().and_then(|t| hex::decode(t).ok())).collect()
    }
}

/// The shape of a value, so that rows with the same mistake meet in one group: a run of letters as A, digits as 9 (at
/// most four, then `9999+`), the rest as it is; at most 40 characters.
pub fn shape(value: &str) -> String {
    let mut out = String::new();
    let mut run = (' ', 0);
    for c in value.chars() {
        let s = match c {
            c if c.is_numeric() => '9',
            c if c.is_alphabetic() => 'A',
            c if c.is_whitespace() => ' ',
            c if c.is_ascii_punctuation() => c,
            _ => '?',
        };
        run = if run.0 == s { (s, run.1 + 1) } else { (s, 1) };
        match run {
            ('A' | '?', n) if n > 1 => {}
            ('9', 5) => out.push('+'),
            ('9', n) if n > 5 => {}
            _ => out.push(s),
        }
        if out.len() >= 40 {
            out.push('…');
            break;
        }
    }
    out
}

/// The values of some rows of a batch in canonical text, a vector a row.
pub fn rows_as_text(batch: &RecordBatch, types: &[ColumnType], rows: &[usize]) -> Vec<Vec<Option<String>>> {
    let indices = UInt32Array::from(rows.iter().map(|r| *r as u32).collect::<Vec<_>>());
    let mut out = vec![Vec::with_capacity(types.len()); rows.len()];
    for (column, ty) in batch.columns().iter().zip(types) {
        #[expect(clippy::expect_used, reason = "the rows are rows of this batch")]
        let taken: ArrayRef = take(column.as_ref(), &indices, None).expect("rows of the batch");
        for (row, text) in array_to_text(&taken, ty).into_iter().enumerate() {
            out[row].push(text);
        }
    }
    out
}

/// Packs raw fields into one value.
pub fn pack_fields(fields: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        match field {
            None => out.push(0),
            Some(bytes) => {
                out.push(1);
                out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                out.extend_from_slice(bytes);
            }
        }
    }
    out
}

/// Unpacks what [`pack_fields`] packed.
pub fn unpack_fields(mut packed: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut fields = Vec::new();
    while let Some((present, rest)) = packed.split_first() {
        packed = rest;
        if *present == 0 {
            fields.push(None);
            continue;
        }
        let Some((len, rest)) = packed.split_first_chunk::<4>() else { break };
        let Some((bytes, rest)) = rest.split_at_checked(u32::from_le_bytes(*len) as usize) else { break };
        fields.push(Some(bytes.to_vec()));
        packed = rest;
    }
    fields
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shape_shows_the_form_and_not_the_value() {
        assert_eq!(shape("31/02/1980"), "99/99/9999");
        assert_eq!(shape("Jörg Müller"), "A A");
        assert_eq!(shape("anna_1@@mail.example"), "A_9@@A.A");
        assert_eq!(shape("4111 1111 1111 1111"), "9999 9999 9999 9999");
        assert_eq!(shape("600123123"), "9999+");
    }

    proptest! {
        #[test]
        fn raw_fields_come_back(fields: Vec<Option<Vec<u8>>>) {
            prop_assert_eq!(unpack_fields(&pack_fields(&fields)), fields);
        }

        #[test]
        fn unpacking_never_panics(bytes: Vec<u8>) {
            unpack_fields(&bytes);
        }
    }
}
