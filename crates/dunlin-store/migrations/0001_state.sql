-- Times are microseconds since 1970-01-01 UTC; ids are UUIDv7 as text; JSON is text. No customer values, except
-- texts that people typed as a purpose.

create table settings (
  name text primary key,
  value text not null
);

-- Entries of the ledger that are durable, and not yet in its tiles. idx is the entry's index in the log.
create table ledger_queue (
  idx bigint primary key,
  entry blob not null
);
create table ledger_head (
  id integer primary key check (id = 1),
  next_index bigint not null
);
insert into ledger_head (id, next_index) values (1, 0);
create table checkpoints (
  size bigint primary key,
  root text not null,
  note text not null,
  at bigint not null
);

create table runs (
  id text primary key,
  kind text not null,
  fingerprint text not null,
  plan_text text not null,
  plan_file text not null,
  stores text not null,
  status text not null,
  started_at bigint not null,
  ended_at bigint,
  actor text not null,
  jobs bigint not null
);
create index runs_by_fingerprint on runs (fingerprint, status);

create table run_tables (
  run text not null references runs (id),
  label text not null,
  position bigint not null,
  body text not null,
  primary key (run, label)
);
create table splits (
  run text not null references runs (id),
  label text not null,
  split bigint not null,
  descriptor text not null,
  status text not null,
  receipt text,
  primary key (run, label, split)
);
create table amendments (
  run text not null references runs (id),
  label text not null,
  amendment bigint not null,
  receipt text not null,
  primary key (run, label, amendment)
);

-- Where a quarantined row lies, and why; the row itself is in its encrypted fragment.
create table quarantine (
  run text not null references runs (id),
  label text not null,
  fragment text not null,
  row_number bigint not null,
  reason text not null,
  column_name text,
  pattern text,
  position bigint,
  status text not null,
  group_id text not null,
  primary key (run, label, fragment, row_number)
);
create index quarantine_by_group on quarantine (group_id, status);

create table approvals (
  fingerprint text not null,
  stores text not null,
  approved_by text not null,
  at bigint not null,
  primary key (fingerprint, stores, approved_by)
);

-- What people typed (purposes, reasons); the ledger holds the salted hash.
create table texts (
  hash text primary key,
  salt blob not null,
  content text not null,
  at bigint not null
);

-- Deleting a salt makes every row name made with it meaningless.
create table subject_salts (
  subject text primary key,
  salt blob not null
);
create table tombstones (
  mac text primary key,
  label text not null,
  at bigint not null
);
