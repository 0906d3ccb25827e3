//! The plan reference.

/// The plan reference as Markdown.
pub fn reference() -> String {
    String::new()
}
