-- People, credentials, sessions, invitations, tokens, failed attempts. Secrets are hashes or sealed.
-- Times are microseconds since 1970-01-01 UTC; ids are UUIDv7 as text.
-- Columns named *_late are readings of the guard's clock that never go back (ends of sessions, links, tokens);
-- columns named *_served count only time that a process has lived through (locks and limits).

-- The highest readings given so far, so that a restart with another wall clock goes on from them.
create table guard_clock (
  id integer primary key check (id = 1),
  late bigint not null,
  served bigint not null
);

create table people (
  id text primary key,
  -- Trimmed and folded to lower case.
  email text not null unique,
  email_verified_at bigint,
  name text not null,
  role text not null,
  -- Null is in-house, else the other company's name.
  organisation text,
  -- 1 when set by a person; the plan's word counts otherwise.
  role_by_hand bigint not null default 0,
  organisation_by_hand bigint not null default 0,
  status text not null check (status in ('invited', 'active', 'blocked', 'left')),
  mfa_required bigint not null default 0,
  -- JSON list of `store.table`, or null for no limit.
  limit_tables text,
  limit_until_late bigint,
  created_at bigint not null,
  last_seen_at bigint,
  blocked_at bigint,
  block_category text,
  -- Hash of the text in `texts`.
  block_reason text,
  -- When the last refused sign-in, and the last lock, were entered in the ledger, served time: guesses must not
  -- flood it.
  refused_entered_served bigint,
  locked_entered_served bigint
);

-- What people wrote about a person, blocked or not.
create table person_notes (
  id text primary key,
  person text not null references people (id),
  author text not null,
  note text not null,
  at bigint not null
);
create index person_notes_by_person on person_notes (person, at);

create table passwords (
  person text primary key references people (id),
  hash text not null,
  changed_at bigint not null
);
create table totp (
  person text primary key references people (id),
  sealed blob not null,
  created_at bigint not null,
  confirmed_at bigint,
  last_step bigint not null default 0
);
create table recovery_codes (
  person text not null references people (id),
  hash text not null,
  key_id text not null,
  created_at bigint not null,
  used_at bigint,
  primary key (person, hash)
);
create table passkeys (
  id text primary key,
  person text not null references people (id),
  -- BLAKE3 of the credential's id, so that no key belongs to two people.
  credential text not null unique,
  label text not null,
  sealed blob not null,
  created_at bigint not null,
  last_used_at bigint
);
create index passkeys_by_person on passkeys (person);
-- A passkey ceremony that has begun: its server side, sealed.
create table ceremonies (
  hash text primary key,
  kind text not null,
  person text references people (id),
  session text,
  sealed blob not null,
  until_late bigint not null
);

create table sessions (
  id text primary key,
  person text not null references people (id),
  token text not null unique,
  method text not null,
  -- full, second_factor or enrol.
  stage text not null,
  created_at bigint not null,
  created_late bigint not null,
  seen_at bigint not null,
  seen_late bigint not null,
  ends_late bigint not null,
  mfa_late bigint,
  mfa_at bigint,
  device text not null,
  -- Keyed hash of what tells this browser from others: person and user agent.
  device_hash text not null,
  address text not null,
  network text not null,
  ended_at bigint,
  end_reason text
);
create index sessions_by_person on sessions (person, ended_at);

create table tokens (
  id text primary key,
  person text not null references people (id),
  hash text not null unique,
  label text not null,
  scopes text not null,
  -- service or device.
  kind text not null,
  created_at bigint not null,
  until_late bigint not null,
  mfa_late bigint,
  last_used_at bigint,
  address text,
  revoked_at bigint,
  revoke_reason text
);
create index tokens_by_person on tokens (person, revoked_at);

create table device_requests (
  id text primary key,
  device_hash text not null unique,
  user_hash text not null,
  client text not null,
  scopes text not null,
  address text not null,
  created_at bigint not null,
  until_late bigint not null,
  interval_s bigint not null,
  polled_late bigint,
  -- pending, approved, denied or spent.
  status text not null,
  person text references people (id),
  mfa_late bigint
);
create index device_requests_by_user on device_requests (user_hash, status);

create table invitations (
  id text primary key,
  hash text not null unique,
  person text not null references people (id),
  role text not null,
  organisation text,
  invited_by text not null,
  created_at bigint not null,
  until_late bigint not null,
  accepted_at bigint,
  withdrawn_at bigint
);
create index invitations_by_person on invitations (person);

-- Links sent by e-mail: recover, unlock.
create table links (
  hash text primary key,
  person text not null references people (id),
  kind text not null,
  created_at bigint not null,
  until_late bigint not null,
  spent_at bigint
);
create index links_by_person on links (person, kind);

-- The secret that makes the first owner; spent once.
create table setup_secret (
  id integer primary key check (id = 1),
  hash text not null,
  created_at bigint not null,
  spent_at bigint
);

-- Every attempt at a credential; kept as long as the retention says. Written before the credential is verified.
create table attempts (
  id text primary key,
  at bigint not null,
  served bigint not null,
  -- Keyed hash of the folded e-mail, known or not.
  account text not null,
  person text,
  -- password, totp, recovery_code, passkey, link, device_code, token.
  credential text not null,
  address text not null,
  -- The address, or the /64 of an IPv6 address.
  network text not null,
  device text not null,
  device_hash text not null,
  -- pending, accepted, refused, locked or throttled.
  outcome text not null,
  -- A code: wrong, unknown, blocked, ...
  reason text,
  -- 16 bits of a keyed hash of account and guess: tells a repeated guess from a new one, and no more.
  pair bigint
);
create index attempts_by_account on attempts (account, served);
create index attempts_by_network on attempts (network, served);
create index attempts_by_person on attempts (person, at);
create index attempts_by_time on attempts (served);

-- Failed attempts that count, by what they count for: `pair` is credential+account+network, `account` is
-- credential+account from networks that the person has not come from, `network` is one network, `guesses` and
-- `guessed` are different pairs of account and password, and different accounts, tried in vain from everywhere.
create table attempt_counters (
  scope text not null,
  name text not null,
  failed bigint not null,
  since_served bigint not null,
  locked_served bigint,
  -- Whose, when known: to open a person's locks.
  person text,
  credential text,
  network text,
  primary key (scope, name)
);
create index attempt_counters_by_person on attempt_counters (person);

-- Networks from which a person has signed in.
create table known_networks (
  person text not null references people (id),
  network text not null,
  last_served bigint not null,
  primary key (person, network)
);
