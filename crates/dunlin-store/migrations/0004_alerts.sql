-- Alerts, deliveries, saved searches, identity providers.
-- Times are microseconds since 1970-01-01 UTC; ids are UUIDv7 as text; JSON is text.

-- What looked unusual. subject is what it is about (a person's id, a store, a network's hash); source is the
-- entry or attempt that raised it, so that nothing raises an alert twice.
create table alerts (
  id text primary key,
  rule text not null,
  severity text not null,
  person text,
  subject text not null,
  what text not null,
  why text not null,
  todo text not null,
  -- JSON list of {name, value, compared}: what was counted and what it was compared with.
  numbers text not null,
  -- JSON list of the ledger's indexes.
  evidence text not null,
  source text not null unique,
  times bigint not null,
  raised_at bigint not null,
  last_at bigint not null,
  status text not null check (status in ('open', 'closed')),
  closed_at bigint,
  closed_by text,
  decision text,
  -- Hash of what the person wrote, in `texts`.
  note_hash text
);
create index alerts_by_status on alerts (status, raised_at);
create index alerts_by_subject on alerts (rule, subject, status);
create index alerts_by_person on alerts (person, raised_at);

-- Where the reading of the ledger stands, and what the rules remember.
create table alert_cursor (
  id integer primary key check (id = 1),
  next_index bigint not null
);
insert into alert_cursor (id, next_index) values (1, 0);
create table alert_memory (
  subject text primary key,
  body text not null,
  last_at bigint not null
);
create table judged_attempts (
  attempt text primary key,
  at bigint not null
);
create index judged_attempts_by_time on judged_attempts (at);

-- Mail and webhooks that are to be delivered: written in the transaction of what they tell. sealed is the
-- message, encrypted; it is emptied once delivered or given up.
create table outbox (
  id text primary key,
  channel text not null check (channel in ('mail', 'webhook')),
  alert text,
  sealed blob,
  status text not null check (status in ('waiting', 'sent', 'failed')),
  attempts bigint not null,
  created_at bigint not null,
  next_at bigint not null,
  ended_at bigint,
  last_error text
);
create index outbox_due on outbox (status, next_at);

create table saved_searches (
  id text primary key,
  person text not null,
  name text not null,
  filter text not null,
  at bigint not null,
  unique (person, name)
);
-- Who searched the ledger for what, so that turning a page is not entered as another search.
create table ledger_looks (
  reader text not null,
  filter text not null,
  at bigint not null,
  primary key (reader, filter)
);

-- A sign-in at an identity provider that has begun. sealed holds nonce and PKCE verifier.
create table oidc_flows (
  state_hash text primary key,
  browser_hash text not null,
  provider text not null,
  sealed blob not null,
  until_at bigint not null
);
create index oidc_flows_by_time on oidc_flows (until_at);
-- Which person an account at a provider is.
create table oidc_accounts (
  provider text not null,
  subject text not null,
  person text not null references people (id),
  -- 1 when the person was made for this account, and exists by its groups alone.
  made bigint not null,
  linked_at bigint not null,
  primary key (provider, subject)
);
create index oidc_accounts_by_person on oidc_accounts (person);

-- What an identity provider keeps about a person over SCIM.
create table scim_accounts (
  person text primary key references people (id),
  external_id text,
  version bigint not null,
  created_at bigint not null,
  changed_at bigint not null,
  -- Deleted there: unknown to the provider from then on, though the record of the person stays.
  deleted_at bigint
);
create unique index scim_accounts_by_external on scim_accounts (external_id);
