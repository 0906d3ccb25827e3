-- What customers ask for, and what follows from it. No value of a customer is in here: a customer is a keyed hash, what
-- names them and what they correct lies sealed in `.dunlin/subjects/`. Times are microseconds since 1970-01-01 UTC.

create table requests (
  id text primary key,
  kind text not null,
  law text,
  opened_at bigint not null,
  received_at bigint not null,
  due_at bigint,
  extended_to bigint,
  owner text,
  identity text not null,
  decision text,
  reason_category text,
  reason_hash text,
  state text not null,
  undo_until bigint,
  purpose text not null,
  -- The customer: a keyed hash of the customer's key, which stays when everything else is gone.
  subject text not null,
  key_id text not null,
  ended_at bigint
);
create index requests_by_state on requests (state, due_at);

-- Rows that lead to a customer are known by keyed hashes of the values they lead by.
create table subject_marks (
  mac text not null,
  key_id text not null,
  domain text not null,
  effect text not null,
  purpose text not null,
  request text not null references requests (id),
  at bigint not null,
  primary key (mac, effect, request)
);
create index subject_marks_by_request on subject_marks (request);

-- Which steps of a request are through, so that one whose process died goes on.
create table subject_steps (
  request text not null references requests (id),
  step text not null,
  detail text not null,
  at bigint not null,
  primary key (request, step)
);

-- Where rehearsals have put copies. The URL holds no password: a plan's URL never does.
create table rehearsal_copies (
  run text primary key references runs (id),
  url text not null,
  at bigint not null
);
