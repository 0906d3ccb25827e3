//! Who may touch customer data, who is in it now, and what they did.

mod clock;
mod credentials;
mod error;
mod guard;
mod limit;
mod mail_port;
mod people;
mod session;
mod settings;
mod token;
mod policy;

pub use clock::{Clock, ManualTime, Moment, SystemTime, TimeSource};
pub use error::{ErrorKind, GuardError};
pub use guard::Guard;
pub use limit::{Network, Origin};
pub use mail_port::{Mail, MailFailed, Mailer};
pub use people::{Person, Status};
pub use session::{Stage, Via, Who};
pub use settings::{GuardSettings, HashSettings, Lifetimes, Limits};
pub use token::Secret;
pub use policy::{Action, Resource, Subject, Verdict};

pub mod alerts;
pub mod audit;
pub mod mail;
pub mod outgoing;
