//! stub
use std::sync::Arc;
use super::location::Location;
use crate::{Result, Target, ConnectError};
pub(super) fn open(location: Arc<Location>) -> Result<Arc<dyn Target>> {
    Err(ConnectError::Unsupported { store: location.store.clone(), what: "writing".into(), help: String::new() })
}
pub(super) fn try_write(_l: &Location) -> Result<String> { Ok(String::new()) }
