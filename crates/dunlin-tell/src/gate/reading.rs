//! Whether people can read it: the index of the language, long sentences, and words that leave a way out.

use dunlin_plan::{Finding, Level};

use super::passages::Passage;
use super::readability::{Score, name};
use super::sentences::{sentences, words};
use crate::notice::NoticeSource;
use crate::vocabulary::Lang;

/// Below this a text is "difficult" on Flesch's own scale: the notice is held.
const HARD: f64 = 50.0;
/// Below this it is no longer "plain English" (Flesch, How to Write Plain English, 1979): a warning.
const PLAIN: f64 = 60.0;
/// GOV.UK's limit for a sentence ("Sentence length: why 25 words is our limit", 2014): a warning.
const LONG_SENTENCE: usize = 25;
/// Beyond this the notice is held.
const TOO_LONG_SENTENCE: usize = 35;
/// An index over fewer words says nothing.
const ENOUGH_WORDS: usize = 60;

pub(super) fn check(source: &NoticeSource, passages: &[Passage], items: &mut Vec<Finding>) {
    let lang = source.notice.locale.lang;
    let mut score = Score::default();
    for passage in passages {
        for block in passage.blocks() {
            if passage.is_prose() && !block.heading {
                score.add(&block.text, lang);
                long_sentences(source, passage, block, lang, items);
            }
            hedges(source, passage, block, lang, items);
        }
    }
    let Some(index) = score.index(lang).filter(|_| score.words >= ENOUGH_WORDS) else { return };
    if index < PLAIN {
        let level = if index < HARD { Level::Error } else { Level::Warning };
        let message = format!(
            "{} {index:.0} of 100: {} words a sentence, {:.2} syllables a word",
            name(lang),
            score.words / score.sentences.max(1),
            score.syllables as f64 / score.words.max(1) as f64,
        );
        let help = "shorter sentences and shorter words; 60 and more is plain, below 50 it is held";
        let span = dunlin_plan::Span { start: source.body_at, end: source.body_at };
        items.push(
            Finding { span: Some(span), ..Finding::new(level, "tell-hard-to-read", message) }.help(help),
        );
    }
}

fn long_sentences(
    source: &NoticeSource,
    passage: &Passage,
    block: &crate::prose::Block,
    lang: Lang,
    items: &mut Vec<Finding>,
) {
    for range in sentences(&block.text, lang) {
        let count = words(&block.text[range.clone()]).count();
        if count <= LONG_SENTENCE {
            continue;
        }
        let level = if count > TOO_LONG_SENTENCE { Level::Error } else { Level::Warning };
        let first = words(&block.text[range.clone()]).next().map_or(1, |(_, word)| word.len());
        let span = passage.block_span(source, block, range.start, range.start + first);
        let message = format!("a sentence of {count} words");
        let help = "at most 25; cut it at a comma or an \"and\"";
        items.push(
            Finding { span: Some(span), ..Finding::new(level, "tell-sentence-long", message) }.help(help),
        );
    }
}

/// Words that leave open whether something happens. WP260 rev.01 (the Article 29 Working Party's guidelines on
/// transparency, endorsed by the EDPB), no. 13: "may", "might", "some", "often" and "possible" should be avoided;
/// the others are their sisters in each language. Lower case.
fn hedge_words(lang: Lang) -> &'static [&'static str] {
    match lang {
        Lang::En => {
            &["may", "might", "some", "often", "possible", "possibly", "perhaps", "sometimes", "could"]
        }
        Lang::Es => &[
            "podría",
            "podrían",
            "quizá",
            "quizás",
            "tal vez",
            "puede que",
            "a veces",
            "a menudo",
            "algunos",
            "algunas",
            "posible",
            "posiblemente",
        ],
        Lang::De => &[
            "könnte",
            "könnten",
            "möglicherweise",
            "eventuell",
            "manchmal",
            "manche",
            "einige",
            "oft",
            "gegebenenfalls",
            "vielleicht",
            "möglich",
        ],
        Lang::Fr => &[
            "pourrait",
            "pourraient",
            "peut-être",
            "éventuellement",
            "parfois",
            "certains",
            "certaines",
            "souvent",
            "possible",
        ],
    }
}

fn hedges(
    source: &NoticeSource,
    passage: &Passage,
    block: &crate::prose::Block,
    lang: Lang,
    items: &mut Vec<Finding>,
) {
    for hedge in hedge_words(lang) {
        for (at, found) in whole_words(&block.text, hedge) {
            // The month: "May 2026", "5 May".
            if *hedge == "may" && found.starts_with('M') && near_number(&block.text, at, found.len()) {
                continue;
            }
            let span = passage.block_span(source, block, at, at + found.len());
            let message = format!("`{found}` leaves open what happens");
            let help = "say what you do, and when (EU guidelines on transparency, WP260, no. 13)";
            items.push(Finding::error("tell-hedge", span, message).help(help));
        }
    }
}

/// Where a word or phrase stands by itself, whatever the case of its first letter.
fn whole_words<'a>(text: &'a str, wanted: &str) -> Vec<(usize, &'a str)> {
    let bounded = |at: usize, length: usize| {
        let edge = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '-');
        edge(text[..at].chars().next_back()) && edge(text[at + length..].chars().next())
    };
    let mut characters = wanted.chars();
    let capital: String = match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => return Vec::new(),
    };
    [wanted, &capital]
        .iter()
        .flat_map(|form| text.match_indices(*form).collect::<Vec<_>>())
        .filter(|(at, found)| bounded(*at, found.len()))
        .collect()
}

fn near_number(text: &str, at: usize, length: usize) -> bool {
    let digit = |word: Option<&str>| word.is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    digit(text[..at].split_whitespace().next_back()) || digit(text[at + length..].split_whitespace().next())
}
