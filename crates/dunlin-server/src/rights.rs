//! Who may do what, as the server asks it.
use crate::app::App;
use crate::serve::ServerError;
use dunlin_guard::{Action, Guard, Resource, Who};
use std::path::Path;
use tokio::task::JoinHandle;

pub(crate) struct Answer {
    pub(crate) allowed: bool,
    pub(crate) reason_code: String,
    pub(crate) sentence: String,
}
pub(crate) struct Rights;
impl Rights {
    pub(crate) fn open(_: &Guard, _: &Path) -> Result<Rights, ServerError> {
        Ok(Rights)
    }
    pub(crate) fn may(&self, _: &Who, _: Action, _: &Resource) -> Answer {
        Answer { allowed: false, reason_code: "no_policy".into(), sentence: "no policy allows it".into() }
    }
}
pub(crate) fn chores(_: &App) -> Vec<JoinHandle<()>> {
    Vec::new()
}

use dunlin_guard::{GuardError, Origin, Secret};
pub(crate) async fn who_by_token(_: &App, _: &Secret, _: &Origin) -> Result<Who, GuardError> {
    Err(GuardError::NotSignedIn)
}
pub(crate) async fn who_by_session(_: &App, _: &Secret, _: &Origin) -> Result<Who, GuardError> {
    Err(GuardError::NotSignedIn)
}
pub(crate) fn form_token_fits(_: &App, _: &Secret, _: &str) -> bool {
    false
}
