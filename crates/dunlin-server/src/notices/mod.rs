//! Notices between their file and their readers: read and saved, held against the plan, handed in, published,
//! withdrawn. The server and the shell both go by these.
//!
//! Not here: what a notice says and how it looks (`dunlin-tell`), what is kept of it (`dunlin-store`), and who may do
//! what, which the caller asks before.

mod error;
mod file;
mod images;
mod judge;
mod precede;
mod press;
mod show;
mod unreached;

pub use error::NoticeError;
pub use file::{FOLDER, NoticeFile, files, is_name, read, save};
pub use images::encode;
pub use judge::{Judged, Judgement, LinksAsked, ask_links, judge, needs_approval, previous};
pub use precede::{NotTold, WhyNot, not_told, skipped};
pub use press::{Handed, publish, submit, take_back, withdraw};
pub use show::{NoticeDay, actions, days, with_own_page};
pub(crate) use unreached::tasks as unreached_tasks;
