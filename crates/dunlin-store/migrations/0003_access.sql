-- Grants, approvals with their expiry, and who is in the data now.
-- Times are microseconds since 1970-01-01 UTC; ids are UUIDv7 as text.

-- A person may do more than the role says, on one table, for one task. columns is JSON; without it: every column
-- that is not secret.
create table grants (
  id text primary key,
  person text not null,
  task text not null,
  action text not null,
  store text not null,
  label text not null,
  columns text,
  until bigint,
  purpose_category text not null,
  purpose_hash text not null,
  opened_by text not null,
  opened_at bigint not null,
  closed_at bigint,
  closed_reason text
);
create index grants_by_person on grants (person, closed_at);
create index grants_by_task on grants (task, closed_at);

-- Who stands for a grant, and of which group; two of two groups for secret columns.
create table grant_agreements (
  grant_id text not null references grants (id),
  person text not null,
  party text not null,
  at bigint not null,
  primary key (grant_id, person)
);

-- Who is or was in the data. actor is a person's id, `local:<user>` or `dunlin`; person is the id alone. class is the
-- highest class among the columns shown, clear_class the highest that was shown in clear. columns is JSON.
create table accesses (
  id text primary key,
  actor text not null,
  person text,
  session text,
  action text not null,
  surface text not null,
  store text not null,
  label text not null,
  columns text not null,
  class text not null,
  clear_class text,
  task text,
  in_window bigint,
  purpose_category text not null,
  row_count bigint not null,
  opened_at bigint not null,
  last_at bigint not null,
  closed_at bigint,
  closed_reason text
);
create index accesses_open on accesses (closed_at, last_at);
create index accesses_by_person on accesses (person, opened_at);

-- What somebody asked for and did not get. A burst of equal ones within a minute is one row with a count.
create table denials (
  id text primary key,
  actor text not null,
  person text,
  session text,
  action text not null,
  store text not null,
  label text not null,
  reason_code text not null,
  at bigint not null,
  last_at bigint not null,
  times bigint not null
);
create index denials_by_person on denials (person, at);

-- Who edited the plan through the server, from which fingerprint to which.
create table plan_edits (
  id text primary key,
  author text not null,
  previous text not null,
  fingerprint text not null,
  at bigint not null
);
create index plan_edits_by_fingerprint on plan_edits (fingerprint, at);

-- Seven days: what was approved before approvals had an end lasts as long as any other.
alter table approvals add column expires_at bigint;
update approvals set expires_at = at + 604800000000;
alter table approvals add column role text;
alter table approvals add column voided_at bigint;
alter table approvals add column voided_reason text;
