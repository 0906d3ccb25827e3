//! The ways a letter can leave.

use async_trait::async_trait;

use super::error::SendError;
use super::journal::Journal;
use super::letter::Letter;

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken over.
    Taken,
    /// This letter is not taken, and will not be; with the answer's code.
    Refused(u16),
    /// Not now; with the answer's code or a word.
    Later(String),
    /// It was handed over to its end, and no answer came: nobody can tell.
    Uncertain,
    /// There is nobody who would take any letter now.
    NoServer(String),
    /// The server does not let us send at all: login, sender.
    NotUs(String),
}

/// A way out.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Its name in the state: `smtp`, `outbox`.
    fn name(&self) -> &'static str;
    /// Somebody who carries one letter at a time, and keeps what helps with the next, such as a connection.
    fn courier(&self) -> Box<dyn Courier>;
    /// Whether a letter has arrived, where the transport can tell.
    async fn has(&self, letter: &str) -> Result<Option<bool>, SendError>;
    /// Told when a message has gone out.
    async fn finished(&self) -> Result<(), SendError> {
        Ok(())
    }
}

/// Carries letters.
#[async_trait]
pub trait Courier: Send {
    /// Carries one; tells the mark when it is about to become impossible to take back.
    async fn carry(&mut self, letter: &Letter, mark: &Mark<'_>) -> Result<Outcome, SendError>;
    /// Says goodbye.
    async fn close(&mut self) {}
}

/// Where a courier notes how far it is, so that it is known after this process is killed.
#[derive(Clone, Copy)]
pub struct Mark<'a> {
    pub(super) journal: &'a Journal,
    pub(super) slot: usize,
}

impl Mark<'_> {
    /// The very next act hands the letter over.
    pub fn handing_over(&self) {
        self.journal.handing_over(self.slot);
    }
}
