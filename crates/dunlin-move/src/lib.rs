//! The run: scan, map, check, load in splits; resume; reconcile.
