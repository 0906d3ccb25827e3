-- Sending: which message of a notice went to whom. Times are microseconds since 1970-01-01 UTC; ids are UUIDv7 as text.
-- An address never stands here in clear: `recipient` is a keyed hash of it, `sealed` the address encrypted, and only
-- as long as the letter may still have to be sent.

create table tell_messages (
  id text primary key,
  notice text not null,
  version bigint not null,
  -- Which of the notice's messages, e.g. `before:30`.
  message text not null,
  -- `required` or `marketing`.
  stream text not null,
  -- `smtp` or `outbox`.
  transport text not null,
  -- `gathering`, `sending`, `done`.
  state text not null,
  -- What the audience gave: rows, and among them addresses that had come before.
  rows_read bigint not null,
  duplicates bigint not null,
  created_at bigint not null,
  ended_at bigint,
  unique (notice, version, message, transport)
);

-- Rows of the audience whose address cannot be written to, by reason.
create table tell_invalid (
  message text not null references tell_messages (id) on delete cascade,
  reason text not null,
  rows_read bigint not null,
  primary key (message, reason)
);

create table tell_deliveries (
  message text not null references tell_messages (id) on delete cascade,
  recipient blob not null,
  -- What stands before the @ of the Message-ID: by it a bounce is known again.
  letter text not null,
  locale text not null,
  -- `due`, `sending`, `sent`, `failed`, `suppressed`, `uncertain`, `bounced`, `complained`.
  state text not null,
  attempts bigint not null,
  next_at bigint not null,
  -- The last answer of the mail server, e.g. `550`, or a word.
  code text,
  sealed blob,
  ended_at bigint,
  primary key (message, recipient)
);
create index tell_deliveries_due on tell_deliveries (message, state, next_at);
create index tell_deliveries_by_letter on tell_deliveries (letter);

-- Whom a stream no longer reaches: `reason` is `unsubscribed`, `complained` or `bounced`.
create table tell_suppressed (
  recipient blob not null,
  stream text not null,
  reason text not null,
  at bigint not null,
  primary key (recipient, stream)
);
