//! The stores dunlin reads and writes: SQLite, files, PostgreSQL, one folder a system.
