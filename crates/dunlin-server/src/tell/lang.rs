//! In which language somebody reads: what the address says, then what the browser asks for (RFC 9110, 12.5.4), then the
//! language that was published first.

use dunlin_store::NoticeVersion;
use dunlin_tell::{Lang, Word};

/// The tags that are wanted, the most wanted first.
fn wanted(asked: Option<&str>, accept: &str) -> Vec<String> {
    let mut tags: Vec<(f32, String)> = accept
        .split(',')
        .take(30)
        .filter_map(|part| {
            let mut pieces = part.split(';');
            let tag = pieces.next()?.trim().to_ascii_lowercase();
            let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse().ok());
            Some((weight.unwrap_or(1.0), tag)).filter(|(weight, tag)| *weight > 0.0 && !tag.is_empty())
        })
        .collect();
    // Stable: of equal weights the first goes first.
    tags.sort_by(|a, b| b.0.total_cmp(&a.0));
    let asked = asked.map(str::to_ascii_lowercase).filter(|tag| !tag.is_empty());
    asked.into_iter().chain(tags.into_iter().map(|(_, tag)| tag)).collect()
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// The place of the locale that fits best, else the first; `None` when there is none at all.
fn best(locales: &[&str], asked: Option<&str>, accept: &str) -> Option<usize> {
    for tag in wanted(asked, accept) {
        let exact = locales.iter().position(|locale| locale.eq_ignore_ascii_case(&tag));
        let near = || locales.iter().position(|locale| primary(locale).eq_ignore_ascii_case(primary(&tag)));
        if let Some(place) = exact.or_else(near) {
            return Some(place);
        }
    }
    (!locales.is_empty()).then_some(0)
}

/// The version for a reader.
pub(super) fn choose(
    mut versions: Vec<NoticeVersion>,
    asked: Option<&str>,
    accept: &str,
) -> Option<NoticeVersion> {
    versions.sort_by_key(|one| one.published_at);
    let locales: Vec<&str> = versions.iter().map(|one| one.locale.as_str()).collect();
    let place = best(&locales, asked, accept)?;
    Some(versions.swap_remove(place))
}

/// The language of pages that have no notice.
pub(super) fn of_reader(asked: Option<&str>, accept: &str) -> Lang {
    let known = wanted(asked, accept).into_iter().find_map(|tag| Lang::from_word(primary(&tag)));
    known.unwrap_or(Lang::En)
}

/// The language of a customer's own row: `es`, `es-MX`, `es_MX.UTF-8`. None where letters and pages are not written in it.
pub(crate) fn of_row(locale: Option<&str>) -> Option<Lang> {
    let tag = locale?.trim().to_ascii_lowercase().replace('_', "-");
    Lang::from_word(primary(&tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_goes_before_the_browser_and_the_first_language_is_the_last_resort() {
        let locales = ["en", "es", "de-AT", "de"];
        let of = |asked, accept| best(&locales, asked, accept).map(|place| locales[place]);
        assert_eq!(of(None, ""), Some("en"));
        assert_eq!(of(Some("es-MX"), "de"), Some("es"));
        assert_eq!(of(None, "fr, es;q=0.4, de-AT;q=0.9"), Some("de-AT"));
        assert_eq!(of(None, "de"), Some("de"));
        assert_eq!(of(None, "de-CH, en;q=0.1"), Some("de-AT"), "the nearest of the same language");
        assert_eq!(of(None, "es;q=0, pt"), Some("en"), "not wanted is not wanted");
        assert_eq!(of(Some("<script>"), ";;q=,"), Some("en"));
        assert_eq!(best(&[], Some("en"), "en"), None);
        assert_eq!(of_reader(Some("fr-CA"), "de"), Lang::Fr);
        let rows = ["es_MX.UTF-8", " DE ", "tlh", ""].map(|locale| of_row(Some(locale)));
        assert_eq!(rows, [Some(Lang::Es), Some(Lang::De), None, None]);
    }
}
