//! What changed between two plans, in the plan's own terms.
use crate::plan::Plan;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it concerns, for example `table atlas.people: column email`.
    pub place: String,
    /// What happened to it.
    pub text: String,
    /// Whether it changes the fingerprint, and so voids an approval.
    pub moves: bool,
}

/// What changed from the old plan to the new one.
pub fn diff(_old: &Plan, _new: &Plan) -> Vec<Change> {
    Vec::new()
}
