//! How far each letter under way is, in a few bytes that outlive this process.
//!
//! SMTP has one moment that nobody can see into afterwards: the final dot has left, and the answer is not here yet. The
//! state says only that a letter is under way; this says whether that moment had come. The bytes are a mapped file:
//! what was stored stays when the process is killed, without a system call between the note and the act it is about. A
//! machine that loses its power may lose them; then the boot id differs and the journal is believed no more.
//!
//! Not here: what is made of it, which is `post`.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use memmap2::{MmapOptions, MmapRaw};

use super::address::Recipient;
use super::error::SendError;
use super::transport::Outcome;

/// Letters that may be under way at a time.
pub(super) const SLOTS: usize = 256;

const HEAD: usize = 64;
const SLOT: usize = 64;
const MAGIC: &[u8; 16] = b"dunlin journal 1";
/// Where in a slot the recipient stands, and the code of an answer.
const RECIPIENT: usize = 8;
const CODE: usize = 2;

const FREE: u8 = 0;
const BEGUN: u8 = 1;
const HANDING_OVER: u8 = 2;
const TAKEN: u8 = 3;
const REFUSED: u8 = 4;
const LATER: u8 = 5;

/// How far a letter was when its process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// It was not handed over: nobody has it.
    NotYet,
    /// It was being handed over: nobody can tell.
    Unknown,
    /// It was taken over.
    Taken,
    /// It was refused, with this code.
    Refused(u16),
    /// It was put off, with this code.
    Later(u16),
}

/// The journal of a process that sends.
pub(super) struct Journal {
    map: MmapRaw,
}

impl Journal {
    /// A new journal, every slot free. What was there must have been read and settled.
    pub(super) fn create(path: &Path) -> Result<Journal, SendError> {
        let failed = SendError::file(path);
        let made = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(path)?;
            file.set_len((HEAD + SLOTS * SLOT) as u64)?;
            MmapOptions::new().map_raw(&file)
        };
        let journal = Journal { map: made().map_err(failed)? };
        for (at, byte) in head().into_iter().enumerate() {
            journal.byte(at).store(byte, Ordering::SeqCst);
        }
        Ok(journal)
    }

    /// What an earlier process has left, by recipient; `None` where there is no journal that can be believed.
    pub(super) fn read(path: &Path) -> Result<Option<Vec<(Recipient, Reached)>>, SendError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(SendError::file(path)(error)),
        };
        if bytes.len() != HEAD + SLOTS * SLOT || bytes[..HEAD] != head() || boot_id().is_none() {
            return Ok(None);
        }
        let slot = |slot: &[u8]| {
            let code = u16::from_le_bytes([slot[CODE], slot[CODE + 1]]);
            let reached = match slot[0] {
                FREE => return None,
                BEGUN => Reached::NotYet,
                TAKEN => Reached::Taken,
                REFUSED => Reached::Refused(code),
                LATER => Reached::Later(code),
                _ => Reached::Unknown,
            };
            Some((Recipient::of_bytes(&slot[RECIPIENT..RECIPIENT + 32])?, reached))
        };
        Ok(Some(bytes[HEAD..].chunks_exact(SLOT).filter_map(slot).collect()))
    }

    /// A letter is taken up.
    pub(super) fn begun(&self, slot: usize, recipient: Recipient) {
        self.phase(slot, FREE);
        for (at, byte) in recipient.0.into_iter().enumerate() {
            self.byte(HEAD + slot * SLOT + RECIPIENT + at).store(byte, Ordering::SeqCst);
        }
        self.phase(slot, BEGUN);
    }

    /// The very next act hands it over.
    pub(super) fn handing_over(&self, slot: usize) {
        self.phase(slot, HANDING_OVER);
    }

    /// What came of it. An uncertain letter stays as it is.
    pub(super) fn ended(&self, slot: usize, outcome: &Outcome) {
        let (phase, code) = match outcome {
            Outcome::Taken => (TAKEN, 250),
            Outcome::Refused(code) => (REFUSED, *code),
            Outcome::Later(code) => (LATER, code.parse().unwrap_or(0)),
            Outcome::NoServer(_) | Outcome::NotUs(_) => (BEGUN, 0),
            Outcome::Uncertain => return,
        };
        let at = HEAD + slot * SLOT + CODE;
        for (offset, byte) in code.to_le_bytes().into_iter().enumerate() {
            self.byte(at + offset).store(byte, Ordering::SeqCst);
        }
        self.phase(slot, phase);
    }

    /// The state knows what came of it.
    pub(super) fn free(&self, slot: usize) {
        self.phase(slot, FREE);
    }

    fn phase(&self, slot: usize, phase: u8) {
        debug_assert!(slot < SLOTS);
        self.byte(HEAD + slot * SLOT).store(phase, Ordering::SeqCst);
    }

    fn byte(&self, at: usize) -> &AtomicU8 {
        assert!(at < HEAD + SLOTS * SLOT, "within the journal");
        // SAFETY: the index was just checked against the length that the file was given before it was mapped, the
        // mapping lives as long as `self`, and all access to it in this process is through these atomics.
        unsafe { AtomicU8::from_ptr(self.map.as_mut_ptr().add(at)) }
    }
}

/// What a journal of this machine, since it was switched on, begins with.
fn head() -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..MAGIC.len()].copy_from_slice(MAGIC);
    let boot = blake3::hash(boot_id().unwrap_or_default().as_bytes());
    head[MAGIC.len()..MAGIC.len() + 32].copy_from_slice(boot.as_bytes());
    head
}

/// What this running of the machine is called; none where the system does not say.
fn boot_id() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_by_the_next_process_and_a_strange_file_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sending/journal");
        assert_eq!(Journal::read(&path).unwrap(), None);
        let journal = Journal::create(&path).unwrap();
        let who = |n| Recipient([n; 32]);
        for n in 0..6u8 {
            journal.begun(usize::from(n), who(n));
        }
        journal.handing_over(1);
        journal.handing_over(2);
        journal.ended(2, &Outcome::Taken);
        journal.ended(3, &Outcome::Refused(550));
        journal.ended(4, &Outcome::Later("451".into()));
        journal.free(5);
        let read = Journal::read(&path).unwrap();
        if cfg!(target_os = "linux") {
            let expected = [
                (who(0), Reached::NotYet),
                (who(1), Reached::Unknown),
                (who(2), Reached::Taken),
                (who(3), Reached::Refused(550)),
                (who(4), Reached::Later(451)),
            ];
            assert_eq!(read, Some(expected.to_vec()));
        }
        drop(journal);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[20] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Journal::read(&path).unwrap(), None, "another running of the machine");
    }
}
