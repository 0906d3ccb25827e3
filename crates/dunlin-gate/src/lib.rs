//! Sealed customer data and the only way to open it.
