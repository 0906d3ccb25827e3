//! The plan file as it is written.
