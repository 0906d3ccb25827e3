-- Customers who sign in to their own page. No value of a customer is in here: what names them is sealed under a secret
-- that the customer's browser, or the letter, holds alone. Times are microseconds since 1970-01-01 UTC.

-- Links by e-mail. `sealed` holds the keys of the customers with the address, under the link's own token.
create table customer_links (
  hash text primary key,
  sealed text not null,
  until_late bigint not null,
  spent_at bigint
);

-- Sessions. `subject` is the name that the state uses for who it is: a keyed hash, empty where nobody is known yet.
create table customer_sessions (
  hash text primary key,
  subject text not null,
  sealed text not null,
  how text not null,
  signed_in_late bigint not null,
  until_late bigint not null
);

-- What a customer asked for on their page, or an operator entered for them.
create table customer_requests (
  request text primary key references requests (id),
  -- `page`, `gpc` or `operator`.
  via text not null,
  -- The language of the letters.
  lang text not null,
  -- Whether it is carried out by itself once it can no longer be taken back.
  by_itself boolean not null,
  -- The task that stands for it.
  task text,
  -- When it was put off, with the law's extension; whether carrying it out has failed.
  extended_at bigint,
  failed_at bigint
);
