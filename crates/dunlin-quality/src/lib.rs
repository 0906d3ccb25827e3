//! What is in the data: profile, kinds, cleaning functions, row rules.
