-- Which rows a run folded into which, and pairs that wait for a person. No value of a customer is in here: a row is named
-- by the keyed hash of its key, as in the row indexes. Times are microseconds since 1970-01-01 UTC.

-- One line a table that was looked through in a run: so that a resumed run does not look again.
create table crosswalks (
  run text not null,
  label text not null,
  -- BLAKE3 over the pairs below, hex.
  hash text not null,
  primary key (run, label)
);

create table crosswalk (
  run text not null,
  label text not null,
  loser blob not null,
  survivor blob not null,
  probability double precision not null,
  primary key (run, label, loser)
) without rowid;
-- An erased row is forgotten in every run, by whichever side it stands on.
create index crosswalk_loser on crosswalk (label, loser);
create index crosswalk_survivor on crosswalk (label, survivor);

-- Pairs that may stand for one and are not sure enough. `pair` is a hash of both names, hex.
create table duplicate_pairs (
  run text not null,
  label text not null,
  pair text not null,
  one blob not null,
  other blob not null,
  probability double precision not null,
  primary key (run, label, pair)
) without rowid;
create index duplicate_pairs_one on duplicate_pairs (label, one);
create index duplicate_pairs_other on duplicate_pairs (label, other);

-- What people decided on a pair: `merge` or `keep`. It holds for later runs as well, until it is taken back.
create table duplicate_decisions (
  label text not null,
  pair text not null,
  one blob not null,
  other blob not null,
  decision text not null,
  at bigint not null,
  primary key (label, pair)
) without rowid;
create index duplicate_decisions_one on duplicate_decisions (label, one);
create index duplicate_decisions_other on duplicate_decisions (label, other);
