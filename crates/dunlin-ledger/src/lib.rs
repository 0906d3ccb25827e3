//! The append-only, signed ledger: entries, queue format, tiles, checkpoints, proofs.
