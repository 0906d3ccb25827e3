//! The plan file: parsed with spans, resolved, checked, fingerprinted, compared. No I/O.
