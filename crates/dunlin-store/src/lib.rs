//! dunlin's own state: SQLite, migrations, queries, the ledger queue, keys.
