//! `[store.NAME]`: addresses and how files are written.

use std::collections::BTreeMap;

use super::{country, text};
use crate::finding::{Finding, Log};
use crate::store::{FileOptions, Scheme, StorePlan, StoreUrl, StoreUrlError};
use crate::walk::{Entry, Section, Spanned, Walk, entries_of, item_span, wrong_type};

pub(crate) const STORE: Section = Section {
    form: "Store",
    keys: &[
        "url",
        "region",
        "protected",
        "processor",
        "agreement",
        "transfer",
        "environment",
        "at_rest",
        "delimiter",
        "quote",
        "header",
        "encoding",
        "null",
        "format",
    ],
};

const FILE_KEYS: [&str; 6] = ["delimiter", "quote", "header", "encoding", "null", "format"];

pub(super) fn stores(root: &Walk<'_>, log: &mut Log) -> BTreeMap<String, StorePlan> {
    let Some((table, span)) = root.child("store", log) else {
        if !root.has("store") {
            root.missing("store", log, "a table `[store.name]` with a `url` for each store");
        }
        return BTreeMap::new();
    };
    let stores = entries_of(table, span).into_iter().filter_map(|entry| {
        let store = store(&entry, log);
        if store.is_none() {
            log.refused_stores.push(entry.key.to_owned());
        }
        store
    });
    stores.map(|store| (store.name.clone(), store)).collect()
}

fn store(entry: &Entry<'_>, log: &mut Log) -> Option<StorePlan> {
    let name = entry.key.to_owned();
    let place = format!("[store.{name}]");
    let Some(table) = entry.item.as_table_like() else {
        wrong_type(&place, "a table with a `url`", entry.item, item_span(entry.item, entry.key_span), log);
        return None;
    };
    let walk = Walk::enter(table, &STORE, place, entry.key_span, log);
    if name.trim().is_empty() {
        let finding = Finding::error("plan-empty", entry.key_span, "the name of a store is empty");
        log.push(finding.help("give it a short name, for example `[store.crm]`"));
    }
    let url = walk.required("url", "`url = \"env:NAME\"` or another address", log);
    let url = url.and_then(|url| store_url(&name, &url, log));
    let region = country(walk.words("region", log), log);
    let protected = walk.truth("protected", log).unwrap_or(false);
    let processor = text(walk.words("processor", log));
    let agreement = text(walk.words("agreement", log));
    let transfer = text(walk.words("transfer", log));
    let environment = walk.word("environment", log);
    let at_rest = walk.word("at_rest", log);
    let options = file_options(&walk, url.as_ref(), log);
    #[rustfmt::skip]
    let store = StorePlan {
        name, url: url?, region, protected, processor, agreement, transfer, environment, at_rest, options,
        span: entry.key_span,
    };
    Some(store)
}

fn store_url(name: &str, url: &Spanned<String>, log: &mut Log) -> Option<StoreUrl> {
    match url.value.parse() {
        Ok(url) => Some(url),
        Err(error) => {
            if crate::redact::may_hold_secret(&url.value) {
                log.secrets.push(url.span);
            }
            let (rule, help) = match error {
                StoreUrlError::Password => (
                    "plan-password",
                    format!(
                        "write `url = \"env:{}_URL\"` and set that variable, or `url = \"secret:PATH\"`; \
                         then change the password, for this file may have been copied",
                        name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
                    ),
                ),
                StoreUrlError::EnvName => ("plan-url", "for example `env:ATLAS_URL`".to_owned()),
                _ => ("plan-url", "for example `sqlite:data/crm.db` or `env:ATLAS_URL`".to_owned()),
            };
            let message = format!("the URL of store `{name}` is refused: {error}");
            log.push(Finding::error(rule, url.span, message).help(help));
            None
        }
    }
}

fn file_options(walk: &Walk<'_>, url: Option<&StoreUrl>, log: &mut Log) -> FileOptions {
    let scheme = url.and_then(StoreUrl::scheme);
    if scheme.is_some_and(|scheme| scheme != Scheme::File) {
        for key in FILE_KEYS.into_iter().filter(|key| walk.has(key)) {
            let message = format!("`{key}` in {} is for files, and this store is a database", walk.place);
            let finding = Finding::error("plan-file-option", walk.value_span(key), message);
            log.push(finding.help("remove it, or give the store a `file:` URL"));
        }
    }
    FileOptions {
        delimiter: one_character(walk, "delimiter", log),
        quote: one_character(walk, "quote", log),
        header: walk.truth("header", log),
        encoding: encoding(walk, log),
        null: text(walk.text("null", log)),
        format: walk.word("format", log),
    }
}

fn one_character(walk: &Walk<'_>, key: &str, log: &mut Log) -> Option<char> {
    let text = walk.text(key, log)?;
    let mut characters = text.value.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) if one.is_ascii() && !matches!(one, '\n' | '\r' | '\0') => Some(one),
        _ => {
            let message = format!("`{key}` in {} must be one ASCII character", walk.place);
            let help = "for example \";\" or \"\\t\"";
            log.push(Finding::error("plan-file-option", text.span, message).help(help));
            None
        }
    }
}

fn encoding(walk: &Walk<'_>, log: &mut Log) -> Option<String> {
    let label = walk.words("encoding", log)?;
    if encoding_rs::Encoding::for_label(label.value.as_bytes()).is_some() {
        return Some(label.value);
    }
    let message = format!("unknown encoding `{}`", label.value);
    let known = ["utf-8", "windows-1252", "iso-8859-1", "iso-8859-15", "utf-16le", "utf-16be", "macintosh"];
    let help = crate::finding::suggestion(&label.value, known);
    log.push(Finding::error("plan-unknown-word", label.span, message).help(help));
    None
}
