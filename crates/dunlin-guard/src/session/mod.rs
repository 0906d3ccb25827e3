//! Sessions and who is behind them.

mod who;

pub use who::{Stage, Via, Who};
