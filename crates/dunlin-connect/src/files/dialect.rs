//! How text files of a store are spelt: separator, quote, header, NULL, encoding. Resolved once from the options;
//! no file is touched here.

use encoding_rs::Encoding;

use crate::{ConnectError, OpenOptions, Result};

/// The resolved spelling of a CSV or JSON Lines file.
#[derive(Debug, Clone)]
pub(super) struct Dialect {
    /// Field separator.
    pub(super) delimiter: u8,
    /// Quote.
    pub(super) quote: u8,
    /// Whether the first record names the columns.
    pub(super) header: bool,
    /// The unquoted text that is NULL.
    pub(super) null: String,
    /// How bytes become text.
    pub(super) encoding: &'static Encoding,
    /// UTF-16, where it was declared: such a file is turned into UTF-8 before it is read, see `wide`.
    pub(super) wide: Option<&'static Encoding>,
}

impl Dialect {
    /// Checks the options against each other.
    pub(super) fn resolve(store: &str, options: &OpenOptions, tabs: bool) -> Result<Self> {
        let wrong = |message: String, help: &str| ConnectError::Url {
            store: store.to_owned(),
            message,
            help: help.to_owned(),
        };
        let byte = |c: char, what: &str| {
            if c.is_ascii() && c != '\n' && c != '\r' {
                Ok(c as u8)
            } else {
                Err(wrong(format!("the {what} must be one ASCII character"), "use `,`, `;`, `|` or a tab"))
            }
        };
        let delimiter = byte(options.delimiter.unwrap_or(if tabs { '\t' } else { ',' }), "delimiter")?;
        let quote = byte(options.quote.unwrap_or('"'), "quote")?;
        if delimiter == quote {
            return Err(wrong("delimiter and quote are the same".into(), "choose two different characters"));
        }
        let null = options.null.clone().unwrap_or_default();
        if null.bytes().any(|b| b == delimiter || b == quote || b == b'\n' || b == b'\r') {
            return Err(wrong(
                "the NULL text holds a delimiter, quote or line end".into(),
                "choose a text such as `\\N`",
            ));
        }
        let mut encoding = resolve_encoding(store, options.encoding.as_deref().unwrap_or("utf-8"))?;
        let wide = (!encoding.is_ascii_compatible()).then_some(encoding);
        if wide.is_some() {
            encoding = encoding_rs::UTF_8;
        }
        if encoding != encoding_rs::UTF_8
            && !encoding.is_single_byte()
            && (delimiter >= 0x30 || quote >= 0x30)
        {
            // The second byte of a character may look like these.
            return Err(wrong(
                format!("this delimiter or quote is ambiguous in {}", encoding.name()),
                "convert the file to UTF-8 first, e.g. with `iconv`",
            ));
        }
        Ok(Self { delimiter, quote, header: options.header.unwrap_or(true), null, encoding, wide })
    }

    /// The text of some bytes, or `None` where they are not valid in the encoding.
    pub(super) fn decode<'a>(&self, bytes: &'a [u8]) -> Option<std::borrow::Cow<'a, str>> {
        if self.encoding == encoding_rs::UTF_8 {
            return std::str::from_utf8(bytes).ok().map(Into::into);
        }
        self.encoding.decode_without_bom_handling_and_without_replacement(bytes)
    }

    /// Appends text in the encoding; false (and nothing appended) where it cannot be given back unchanged.
    pub(super) fn encode(&self, text: &str, out: &mut Vec<u8>) -> bool {
        if self.encoding == encoding_rs::UTF_8 {
            out.extend_from_slice(text.as_bytes());
            return true;
        }
        let (bytes, _, unmappable) = self.encoding.encode(text);
        // Some legacy encodings map two characters to one byte; what does not come back was changed.
        if unmappable || self.decode(&bytes).as_deref() != Some(text) {
            return false;
        }
        out.extend_from_slice(&bytes);
        true
    }
}

fn resolve_encoding(store: &str, label: &str) -> Result<&'static Encoding> {
    let encoding = Encoding::for_label(label.as_bytes()).ok_or_else(|| ConnectError::Url {
        store: store.to_owned(),
        message: "the encoding is not known".into(),
        help: "use a WHATWG label such as `utf-8`, `windows-1252` or `iso-8859-15`".into(),
    })?;
    let wide = encoding == encoding_rs::UTF_16LE || encoding == encoding_rs::UTF_16BE;
    let splits = wide || encoding.is_ascii_compatible() && encoding != encoding_rs::REPLACEMENT;
    if splits {
        return Ok(encoding);
    }
    Err(ConnectError::Unsupported {
        store: store.to_owned(),
        what: format!("the encoding {}", encoding.name()),
        help: "convert the file to UTF-8 first, e.g. with `iconv`".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_text_comes_back_or_is_refused() {
        let options = OpenOptions { encoding: Some("windows-1252".into()), ..OpenOptions::default() };
        let dialect = Dialect::resolve("s", &options, false).unwrap();
        let mut out = Vec::new();
        assert!(dialect.encode("señor €", &mut out));
        assert_eq!(dialect.decode(&out).as_deref(), Some("señor €"));
        let len = out.len();
        assert!(!dialect.encode("漢", &mut out));
        assert_eq!(out.len(), len);
    }

    #[test]
    fn what_cannot_be_split_by_bytes_is_refused_at_once() {
        for label in ["iso-2022-jp", "no-such"] {
            let options = OpenOptions { encoding: Some(label.into()), ..OpenOptions::default() };
            assert!(Dialect::resolve("s", &options, false).is_err(), "{label}");
        }
    }
}
