//! The JSON Schema of the plan file.

/// The JSON Schema (2020-12) of the plan file, for completion in editors.
pub fn schema() -> serde_json::Value {
    serde_json::Value::Null
}
