//! Names of persons and streets in running text, by capitals, titles and the word lists. A foreign name without a title
//! in front of it stays unseen.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Found;
use crate::kinds::value::fold;
use crate::kinds::words;

static STREETS: LazyLock<Option<[Regex; 3]>> = LazyLock::new(|| {
    let front = r"(?:ul\.|Rue|Via|Viale|Piazza|Calle|C/|Avenida|Av\.|Avda\.?|Plaza|Paseo|Camino|Carrer|Rua|Praça|Travessa|Boulevard|Avenue|Chemin|Allée|Am|An der|Trg|Corso|Largo)";
    let back = r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Boulevard|Blvd|Square|Terrace|Way|Close|Crescent|Highway|Hwy|Parkway|Circle|Trail|Grove|Mews|Row|Hill|Gardens)";
    let ending = r"(?:stra(?:ß|ss)e|str\.|gasse|weg|platz|allee|gatan|vägen|gade|vej|veien|vegen|straat|laan|plein|gracht|kade|katu|tie|kuja|polku|utca|gata)";
    let compile = |text: String| Regex::new(&text).ok();
    Some([
        compile(format!(
            r"\b\d{{1,5}}[A-Za-z]?,? (?:[NSEW]\.? )?(?:\p{{Lu}}[\p{{L}}.'’-]* ){{1,3}}{back}\b\.?(?:,? (?:Apt|Suite|Ste|Unit|#)\.? ?\d+)?"
        ))?,
        compile(format!(
            r"(?:\b\d{{1,5}} )?(?-u:\b){front}(?: (?:de|del|de la|la|du|des|da|do|di|der|della))? (?:\p{{Lu}}[\p{{L}}.'’-]*[ ,]*){{1,4}}(?:n[º°o]?\.? ?)?\d{{1,5}}(?: Apt\. \d+)?"
        ))?,
        compile(format!(
            r"(?:\b\d{{1,5}} )?\b\p{{Lu}}[\p{{L}}-]*{ending} \d{{1,5}}[A-Za-z]?\b(?: Apt\. \d+)?"
        ))?,
    ])
});

/// Streets with their numbers.
pub(super) fn streets(found: &mut Found) {
    let Some(patterns) = STREETS.as_ref() else { return };
    for pattern in patterns {
        for range in pattern.find_iter(found.text).map(|m| m.range()) {
            found.take(range, "postal_address", "", 0.75);
        }
    }
}

const TITLES: [&str; 24] = [
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "herr", "frau", "sr", "sra", "srta", "don", "doña",
    "m", "mme", "mlle", "sig", "dott", "dhr", "mevr", "dona", "lady",
];
const PARTICLES: [&str; 16] = [
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "du", "la", "le", "el", "al", "bin",
];

struct Token {
    range: Range<usize>,
    capital: bool,
    lists: u8,
    folded: String,
}

/// Runs of capitalised words of which the lists know one as a name, or that follow a title.
pub(super) fn names(found: &mut Found) {
    let tokens = tokens(found.text);
    let mut at = 0;
    while at < tokens.len() {
        let end = run_end(found.text, &tokens, at);
        if end > at {
            judge(found, &tokens, at, end);
        }
        at = end.max(at + 1);
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = None;
    let part = |c: char| c.is_alphabetic() || matches!(c, '\'' | '’' | '-');
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match start {
            None if letter.is_alphabetic() => start = Some(at),
            Some(from) if !part(letter) => {
                tokens.push(token(text, from, at));
                start = None;
            }
            _ => {}
        }
    }
    tokens
}

fn token(text: &str, from: usize, to: usize) -> Token {
    let word = text[from..to].trim_end_matches(['\'', '’', '-']);
    let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
    let folded = fold(word);
    let lists = words::listed(&folded)
        | folded.split('-').map(words::listed).filter(|l| *l & words::GIVEN != 0).fold(0, |a, b| a | b);
    let capital = word.starts_with(char::is_uppercase);
    Token { range: from..from + word.len(), capital, lists, folded }
}

/// One past the last token of the run of capitalised words that begins here.
fn run_end(text: &str, tokens: &[Token], from: usize) -> usize {
    if !tokens[from].capital {
        return from;
    }
    let mut end = from + 1;
    while end < tokens.len() && end - from < 6 {
        let gap = &text[tokens[end - 1].range.end..tokens[end].range.start];
        // `Ken N. Fukuda`: the point of an initial or of a title does not end a name.
        let short = tokens[end - 1].range.len() == 1 || TITLES.contains(&tokens[end - 1].folded.as_str());
        if gap != " " && !(gap == ". " && short) {
            break;
        }
        let particle = PARTICLES.contains(&tokens[end].folded.as_str())
            && tokens.get(end + 1).is_some_and(|t| t.capital || PARTICLES.contains(&t.folded.as_str()));
        if !tokens[end].capital && !particle {
            break;
        }
        end += 1;
    }
    end
}

fn judge(found: &mut Found, tokens: &[Token], from: usize, to: usize) {
    let names = words::GIVEN | words::FAMILY;
    let mut from = from;
    let title = |t: &Token| TITLES.contains(&t.folded.as_str());
    let mut titled = false;
    while from < to && title(&tokens[from]) {
        titled = true;
        from += 1;
    }
    // The first word of a sentence is capitalised whatever it is.
    let common = |t: &Token| {
        t.lists & names == 0 && (t.lists & words::ORDINARY != 0 || COMMON.contains(&t.folded.as_str()))
    };
    while from < to && !titled && (common(&tokens[from]) || COMMON.contains(&tokens[from].folded.as_str())) {
        from += 1;
    }
    let mut to = to;
    while to > from && (common(&tokens[to - 1]) || title(&tokens[to - 1])) {
        to -= 1;
    }
    if from >= to {
        return;
    }
    let run = &tokens[from..to];
    let given = run.iter().any(|t| t.lists & words::GIVEN != 0 && t.lists & words::ORDINARY == 0);
    let family = run.last().is_some_and(|t| t.lists & words::FAMILY != 0 && t.lists & words::ORDINARY == 0);
    let place = run.len() == 1 && run[0].lists & (words::CITY | words::REGION) != 0;
    let company = run.iter().any(|t| COMPANY.contains(&t.folded.as_str()));
    let range = run[0].range.start..run[run.len() - 1].range.end;
    let rest = &found.text[range.end..];
    // A house number behind it makes it a street.
    let numbered = rest.strip_prefix(' ').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
    let before = found.before(range.start).to_lowercase();
    let called = [
        "name is ",
        "named ",
        "called ",
        "name: ",
        "i'm ",
        "i am ",
        "met ",
        "dear ",
        "hi ",
        "spoke to ",
        "with ",
    ];
    let said = called.iter().any(|c| before.ends_with(c));
    let confidence = match run.len() {
        _ if company || (numbered && !titled) => return,
        _ if titled => 0.9,
        1 if given && !place => 0.7,
        1 if said && (given || family) => 0.65,
        1 => return,
        2..=5 if given && family => 0.92,
        2..=5 if given && run[0].lists & words::GIVEN != 0 => 0.8,
        2..=5 if family && !run.iter().any(common) => 0.65,
        _ => return,
    };
    found.take(range, "person_name", "", confidence);
}

const COMPANY: [&str; 26] = [
    "inc",
    "ltd",
    "llc",
    "gmbh",
    "corp",
    "corporation",
    "company",
    "group",
    "bank",
    "university",
    "hotel",
    "systems",
    "solutions",
    "partners",
    "associates",
    "holdings",
    "orchestra",
    "street",
    "avenue",
    "road",
    "club",
    "party",
    "government",
    "school",
    "hospital",
    "institute",
];

const COMMON: [&str; 60] = [
    "the", "a", "an", "i", "my", "his", "her", "their", "our", "your", "this", "that", "these", "those",
    "he", "she", "they", "we", "you", "it", "and", "or", "but", "in", "on", "at", "for", "from", "to",
    "with", "by", "of", "is", "was", "are", "were", "have", "has", "what", "who", "when", "where", "how",
    "why", "please", "hello", "hi", "dear", "thanks", "yes", "no", "not", "phone", "date", "name", "email",
    "address", "fax", "will", "may",
];
