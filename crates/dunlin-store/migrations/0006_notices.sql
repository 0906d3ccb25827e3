-- What customers are told: versions of notices, who wrote them, pictures as they are shown, and answers. Times are
-- microseconds since 1970-01-01 UTC; ids are UUIDv7 as text; JSON is text.

-- A text that was handed in. What it says never changes; only the columns after `submitted_at` are written later, each
-- once.
create table notice_versions (
  id text primary key,
  notice text not null,
  locale text not null,
  version bigint not null,
  -- The file in the workspace that it came from.
  file text not null,
  sha256 text not null,
  content text not null,
  -- The plan as it was handed in with, and what the text states about it (JSON).
  plan_fingerprint text not null,
  facts_fingerprint text not null,
  facts text not null,
  -- JSON: who wrote it, as far as the server knows.
  authors text not null,
  submitted_by text not null,
  submitted_at bigint not null,
  -- The plan for which somebody else approved it, and the linked data that belongs to the page (JSON).
  approved_fingerprint text,
  json_ld text,
  approved_by text,
  published_at bigint,
  withdrawn_by text,
  withdrawn_at bigint
);
create index notice_versions_by_name on notice_versions (notice, locale, version);
create unique index notice_versions_published on notice_versions (notice, locale, version)
  where published_at is not null;

-- Who saved a notice's file through the server.
create table notice_edits (
  id text primary key,
  file text not null,
  author text not null,
  sha256 text not null,
  at bigint not null
);
create index notice_edits_by_file on notice_edits (file, id);

-- Pictures of a version, encoded anew when it was handed in. `path` is as the text names it.
create table notice_images (
  version_id text not null references notice_versions (id),
  path text not null,
  media_type text not null,
  sha256 text not null,
  content blob not null,
  primary key (version_id, path)
);

-- What people whom a host app named answered. `subject` is a keyed hash.
create table notice_answers (
  notice text not null,
  version bigint not null,
  subject text not null,
  choice text not null,
  at bigint not null,
  primary key (notice, version, subject)
);

-- Tokens of host apps that were used, until they would have ended anyway.
create table subject_tokens (
  hash text primary key,
  ends_at bigint not null
);
create index subject_tokens_by_end on subject_tokens (ends_at);
