//! Notices by e-mail: whom a message is for, and that each of them gets it once.
//!
//! `audience` reads whom; `queue` remembers each delivery; `letter` writes the mail and `dkim` signs it; `post` takes
//! letters to a [`Transport`] (`smtp`, `outbox`) and survives being killed by its `journal`; `returned` reads what comes
//! back; `stop` ends a stream by one click. An address is in clear only in memory and in the letter itself.
//!
//! Not here: what a notice says (the rest of this crate, which touches neither files nor clocks), whether it may be sent
//! (the caller asks the gate and what is published), and mail to the people who work on the move (`dunlin-guard`).

mod address;
mod audience;
mod dkim;
mod error;
mod figures;
mod forget;
mod gather;
mod journal;
mod letter;
mod message;
mod outbox;
mod post;
mod queue;
mod ramp;
mod returned;
mod smtp;
mod stop;
mod transport;
mod unreachable;
mod wire;

pub use address::{Address, Invalid, Recipient, Recipients};
pub use audience::{Audience, BadAudience, Field};
pub use dkim::{Algorithm, DkimError, DkimKeys};
pub use error::SendError;
pub use figures::{Figures, GROUP_MIN, LocaleFigure};
pub use forget::forget;
pub use gather::{Gathered, Reading, Sample, count, gather};
pub use letter::{Letter, LetterError, Letters, Sender, best_locale};
pub use message::{MessageKey, MessageRow, MessageState};
pub use outbox::Outbox;
pub use post::{Pace, Sent, Trouble, post};
pub use queue::{Queue, Settle};
pub use ramp::Ramp;
pub use returned::{Returned, Returns, read_returned, take_back};
pub use smtp::{SmtpServer, SmtpSettings, SmtpTls};
pub use stop::{Stopped, stop_page, stream_of, unsubscribe};
pub use transport::{Courier, Mark, Outcome, Transport};
pub use unreachable::{Unreached, unreachable, unreached, unreached_told};

/// Failpoints of sending, for crash tests.
pub const FAILPOINTS: &[&str] = &[
    "tell::gather.before_ready",
    "tell::post.claimed",
    "tell::post.before_dot",
    "tell::post.answered",
    "tell::post.before_commit",
    "tell::post.after_commit",
    "tell::outbox.before_rename",
    "tell::outbox.after_rename",
];
