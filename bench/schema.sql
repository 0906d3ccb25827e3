-- The tables of the benchmark. `firenibble` has the shape of PeerDB's published benchmark table; `customers` has what
-- customer tables have: accents, exact numbers, moments, JSON and gaps.
CREATE TABLE firenibble (
  f0 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  f1 bigint,
  f2 bigint,
  f3 integer,
  f4 double precision,
  f5 double precision,
  f6 double precision,
  f7 double precision,
  f8 varchar,
  f9 varchar,
  f10 date,
  f11 date,
  f12 date,
  f13 varchar,
  f14 varchar,
  f15 varchar
);

CREATE TABLE customers (
  id bigint PRIMARY KEY,
  email text NOT NULL,
  full_name text,
  phone text,
  dob date,
  address text,
  city text,
  postcode text,
  country char(2),
  balance numeric(12,2),
  created_at timestamptz NOT NULL,
  preferences jsonb,
  marketing_consent boolean
);
