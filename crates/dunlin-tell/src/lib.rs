//! What customers are told, and the clocks of what they ask.
//!
//! A [`Notice`] is a file: TOML front matter and Markdown, one language and one version. [`Facts`] are what the plan
//! says; [`draft`] makes a notice of them, and the [`Gate`] holds every notice against them before it is published.
//! [`render`] shows it, [`card`] puts it on the front of an app, [`diff`] compares two versions, [`clock`] says by
//! when a request must be answered. [`send`] takes a notice's messages to everybody they are for.
//!
//! But for [`send`]: no I/O, no clock, no database: files, time and answers of the network are given by who calls.

pub mod card;
pub mod clock;
mod country;
pub mod customer;
pub mod diff;
mod draft;
mod facts;
mod gate;
mod json_ld;
mod notice;
mod parse;
mod print;
mod prose;
pub mod render;
pub mod send;
mod vocabulary;
pub mod words;

pub use country::{in_eea, name as country_name};
pub use draft::{NoDraft, draft};
pub use facts::{
    Category, Dates, Datum, Facts, Left, Length, Place, Purpose, Retention, SUBJECTS, Unit, category,
    kind_words, purpose_words, say,
};
pub use gate::{Gate, Images, LinkCheck, SETTABLE, Score, flesch};
pub use json_ld::json_ld;
pub use notice::{Claims, FirstLayer, Message, Notice, NoticeSource, Override, Slot, question, questions};
pub use parse::parse;
pub use print::print;
pub use vocabulary::{Lang, Locale, SlotName, Stream, When, Word};
