//! Everything that happens, live: one hub in the server, one stream a client.
//!
//! Not here: what happened, which the parts of dunlin say; and the past, which is the ledger's.

mod hub;
mod stream;
mod watch;

pub(crate) use hub::Hub;
pub(crate) use stream::events;
pub(crate) use watch::Watch;
