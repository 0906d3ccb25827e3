//! How far two words are apart. Words are bytes after [`super::normal`], at most [`LONGEST`] of them are looked at.
//! Nothing here allocates.

/// Letters of a word that count. Longer words agree or differ well before that.
pub(super) const LONGEST: usize = 64;

/// What rules out most comparisons before a word is looked at: its first letter, its length, and which letters it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sketch {
    letters: u32,
    pub(super) len: u8,
    first: u8,
}

impl Sketch {
    pub(super) fn of(word: &[u8]) -> Sketch {
        let word = &word[..word.len().min(LONGEST)];
        let letters = word.iter().fold(0, |set, c| set | 1 << (c & 31));
        Sketch { letters, len: word.len() as u8, first: word.first().copied().unwrap_or(0) }
    }

    /// Whether two words can be within so many edits: each edit changes at most one letter in each.
    pub(super) fn may_be_within(self, other: Sketch, most: u32) -> bool {
        u32::from(self.len.abs_diff(other.len)) <= most
            && (self.letters & !other.letters).count_ones() <= most
            && (other.letters & !self.letters).count_ones() <= most
    }

    /// Whether all letters of one are in the other.
    pub(super) fn may_be_part(self, other: Sketch) -> bool {
        let both = self.letters & other.letters;
        both == self.letters || both == other.letters
    }

    /// No less than the Jaro–Winkler similarity of the two words.
    pub(super) fn most_similar(self, other: Sketch) -> f64 {
        let only = |a: u32, b: u32| (a & !b).count_ones() as f64;
        let (a, b) = (f64::from(self.len.max(1)), f64::from(other.len.max(1)));
        let same = (a - only(self.letters, other.letters)).min(b - only(other.letters, self.letters));
        let jaro = (same / a + same / b + 1.0) / 3.0;
        if self.first == other.first { jaro + 0.4 * (1.0 - jaro) } else { jaro }
    }
}

/// Jaro–Winkler similarity, from 0 to 1 (Winkler 1990; prefix scale 0.1, at most four letters).
pub(super) fn jaro_winkler(a: &[u8], b: &[u8]) -> f64 {
    let (a, b) = (&a[..a.len().min(LONGEST)], &b[..b.len().min(LONGEST)]);
    let jaro = jaro(a, b);
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    jaro + prefix as f64 * 0.1 * (1.0 - jaro)
}

fn jaro(a: &[u8], b: &[u8]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return if a.is_empty() && b.is_empty() { 1.0 } else { 0.0 };
    }
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut of_a, mut of_b) = (0_u64, 0_u64);
    for (i, x) in a.iter().enumerate() {
        let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(b.len()));
        for (j, y) in b.iter().enumerate().take(to).skip(from) {
            if x == y && of_b & (1 << j) == 0 {
                of_a |= 1 << i;
                of_b |= 1 << j;
                break;
            }
        }
    }
    let same = of_a.count_ones();
    if same == 0 {
        return 0.0;
    }
    let (mut moved, mut rest) = (0_u32, of_b);
    let mut left = of_a;
    while left != 0 {
        let (i, j) = (left.trailing_zeros() as usize, rest.trailing_zeros() as usize);
        moved += u32::from(a[i] != b[j]);
        left &= left - 1;
        rest &= rest - 1;
    }
    let same = f64::from(same);
    (same / a.len() as f64 + same / b.len() as f64 + (same - f64::from(moved / 2)) / same) / 3.0
}

/// Whether at most `most` letters were put in, left out, changed, or swapped with their neighbour: the restricted
/// Damerau–Levenshtein distance (optimal string alignment).
pub(super) fn within(a: &[u8], b: &[u8], most: usize) -> bool {
    let (mut a, mut b) = (&a[..a.len().min(LONGEST)], &b[..b.len().min(LONGEST)]);
    if a.len().abs_diff(b.len()) > most {
        return false;
    }
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    (a, b) = (&a[head..], &b[head..]);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    if a.is_empty() || b.is_empty() {
        return a.len().max(b.len()) <= most;
    }
    // A swap leaves two letters, each other edit one at least: what is left may be long only between the edits.
    match most {
        0 => false,
        1 => (a.len() == 1 && b.len() == 1) || (a.len() == 2 && b.len() == 2 && a[0] == b[1] && a[1] == b[0]),
        _ => osa(a, b, most) <= most,
    }
}

fn osa(a: &[u8], b: &[u8], most: usize) -> usize {
    let mut before = [0_usize; LONGEST + 1];
    let mut last = [0_usize; LONGEST + 1];
    let mut now = [0_usize; LONGEST + 1];
    for (j, cell) in last.iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        now[0] = i;
        let mut least = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut cell = (last[j] + 1).min(now[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cell = cell.min(before[j - 2] + 1);
            }
            now[j] = cell;
            least = least.min(cell);
        }
        if least > most {
            return least;
        }
        (before, last, now) = (last, now, before);
    }
    last[b.len()]
}

/// How a word sounds: American Soundex (US National Archives' rules), as four bytes; 0 where it has no letter.
pub(super) fn soundex(word: &[u8]) -> u32 {
    const CODES: &[u8; 26] = b"01230120022455012623010202";
    let code = |c: u8| CODES[(c - b'a') as usize];
    let mut letters = word.iter().copied().filter(u8::is_ascii_lowercase);
    let Some(first) = letters.next() else { return 0 };
    let (mut out, mut at, mut last) = ([first, b'0', b'0', b'0'], 1, code(first));
    for letter in letters {
        // h and w do not part two letters of one sound, vowels do.
        if matches!(letter, b'h' | b'w') {
            continue;
        }
        let sound = code(letter);
        if sound != b'0' && sound != last {
            out[at] = sound;
            at += 1;
            if at == out.len() {
                break;
            }
        }
        last = sound;
    }
    u32::from_be_bytes(out)
}
