-- Work: tasks and what belongs to them. Times are microseconds since 1970-01-01 UTC; ids are UUIDv7 as text; JSON is
-- text. A server keeps all tasks in memory, so what is searched by is in `body`.

create table work_tasks (
  id text primary key,
  number bigint not null unique,
  -- What the task is drafted for, e.g. `load|atlas.people|`; null for tasks that people made.
  draft_key text unique,
  body text not null
);

-- What people changed, so that it can be shown and undone. salt goes into the hash that the ledger has of a change.
create table work_changes (
  id text primary key,
  at bigint not null,
  by_person text not null,
  kind text not null,
  undoes text,
  salt blob not null
);
create table work_change_items (
  change_id text not null references work_changes (id),
  position bigint not null,
  task text not null,
  -- Empty where the whole task was made or deleted.
  field text not null,
  before_value text not null,
  after_value text not null,
  version bigint not null,
  primary key (change_id, position)
);
create index work_change_items_by_task on work_change_items (task, version);

create table work_comments (
  id text primary key,
  task text not null,
  author text not null,
  text text not null,
  at bigint not null,
  edited_at bigint,
  deleted_at bigint
);
create index work_comments_by_task on work_comments (task, at);

create table work_attachments (
  id text primary key,
  task text not null,
  author text not null,
  name text not null,
  media_type text not null,
  bytes bigint not null,
  sha256 text not null,
  content blob not null,
  at bigint not null
);
create index work_attachments_by_task on work_attachments (task, at);

-- Custom fields, views, templates, baselines, blackout days, calendars, webhooks: few of each, read whole.
create table work_things (
  kind text not null,
  id text not null,
  body text not null,
  primary key (kind, id)
);

-- A person's calendar address; the token is kept as its hash.
create table work_feeds (
  person text primary key,
  token_hash text not null unique,
  created_at bigint not null,
  read_at bigint
);
