//! Passwords that are known to have leaked: a sorted file of SHA-1 hashes, searched by halves where it lies.
//!
//! SHA-1 because Have I Been Pwned publishes its list so; it protects nothing here.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

use crate::GuardError;
use crate::guard::readable;
use crate::token::Secret;

/// The file.
#[derive(Clone)]
pub(crate) struct Breached {
    path: PathBuf,
}

/// Longer lines than this are none of ours: 40 digits, a colon, a count.
const LINE_MAX: u64 = 80;

impl Breached {
    /// Looks whether the file can be read and begins as it must.
    pub fn open(path: &Path) -> Result<Breached, GuardError> {
        let mut first = String::new();
        let read = BufReader::new(readable(path)?).take(LINE_MAX).read_line(&mut first);
        let hash = first.trim_end().split(':').next().unwrap_or_default();
        let hex = hash.len() == 40 && hash.chars().all(|c| c.is_ascii_hexdigit());
        if read.is_err() || !hex {
            let help = "sorted SHA-1 hashes in hex, one a line, as Have I Been Pwned gives them";
            return Err(GuardError::Invalid { what: "the file of `breached_passwords`", help });
        }
        Ok(Breached { path: path.to_owned() })
    }

    /// Whether this password is in it.
    pub async fn has(&self, password: &Secret) -> Result<bool, GuardError> {
        let wanted = hex::encode_upper(Sha1::digest(password.expose().as_bytes()));
        let path = self.path.clone();
        let search = tokio::task::spawn_blocking(move || {
            let file = readable(&path)?;
            let failed = |_| GuardError::Internal("reading the file of breached passwords");
            let len = file.metadata().map_err(failed)?.len();
            find(&mut BufReader::with_capacity(512, file), len, &wanted).map_err(failed)
        });
        search.await.map_err(|_| GuardError::Internal("searching breached passwords"))?
    }
}

/// Searches by halves. `low` is always the start of a line; a line that starts below `high` may be the one.
fn find<R: Read + Seek>(file: &mut BufReader<R>, len: u64, wanted: &str) -> std::io::Result<bool> {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        let (start, line) = line_after(file, low, middle)?;
        if start >= high || line.is_empty() {
            // No line starts between the middle and the end: what is left is before the middle.
            high = middle;
            continue;
        }
        let hash = line.split(':').next().unwrap_or_default().trim_end().to_ascii_uppercase();
        match hash.as_str().cmp(wanted) {
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Less => low = start + line.len() as u64,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(false)
}

/// The first line that starts at or after `from`; `low` is known to start one.
fn line_after<R: Read + Seek>(
    file: &mut BufReader<R>,
    low: u64,
    from: u64,
) -> std::io::Result<(u64, String)> {
    let mut start = from;
    let mut line = Vec::new();
    if from > low {
        // Reading from one byte before makes a line that starts exactly here count.
        file.seek(SeekFrom::Start(from - 1))?;
        start = from - 1 + file.by_ref().take(LINE_MAX * 2).read_until(b'\n', &mut line)? as u64;
        line.clear();
    } else {
        file.seek(SeekFrom::Start(from))?;
    }
    file.by_ref().take(LINE_MAX * 2).read_until(b'\n', &mut line)?;
    Ok((start, String::from_utf8_lossy(&line).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[String], ending: &str) -> String {
        let mut hashes: Vec<String> =
            words.iter().map(|w| hex::encode_upper(Sha1::digest(w.as_bytes()))).collect();
        hashes.sort();
        hashes.iter().enumerate().map(|(i, h)| format!("{h}:{}{ending}", i * i)).collect()
    }

    #[tokio::test]
    async fn every_password_of_the_list_is_found_and_no_other() {
        for ending in ["\n", "\r\n"] {
            for count in [1usize, 2, 3, 7, 300] {
                let words: Vec<String> = (0..count).map(|i| format!("password{i}")).collect();
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("list");
                std::fs::write(&path, list(&words, ending)).unwrap();
                let breached = Breached::open(&path).unwrap();
                for word in &words {
                    assert!(breached.has(&Secret::new(word.clone())).await.unwrap(), "{word} of {count}");
                    assert!(!breached.has(&Secret::new(format!("{word}!"))).await.unwrap());
                }
            }
        }
    }

    #[test]
    fn a_file_of_clear_passwords_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, "123456\npassword\n").unwrap();
        assert!(matches!(Breached::open(&path), Err(GuardError::Invalid { .. })));
    }
}
