-- Fills the tables: psql -v fire_rows=N -v cust_rows=N. Every value follows from the row's number, so that the data is
-- the same on every machine. `pick(g, n)` is a number from 0 to n-1 that looks random.
\set ON_ERROR_STOP on
\set QUIET on

CREATE FUNCTION pg_temp.pick(g bigint, salt int, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
  $$ SELECT (hashint8extended(g, salt) & 9223372036854775807) % n $$;

INSERT INTO firenibble (f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15)
SELECT
  pg_temp.pick(g, 1, 9000000000000000000),
  pg_temp.pick(g, 2, 9000000000000000000),
  pg_temp.pick(g, 3, 2000000000)::int,
  pg_temp.pick(g, 4, 1000000000000)::float8 / 1e6,
  pg_temp.pick(g, 5, 1000000000000)::float8 / 1e12,
  pg_temp.pick(g, 6, 1000000000000)::float8 / 1e18,
  pg_temp.pick(g, 7, 1000000000000)::float8,
  md5('a' || g),
  md5('b' || g),
  date '1970-01-01' + pg_temp.pick(g, 8, 20000)::int,
  date '1970-01-01' + pg_temp.pick(g, 9, 20000)::int,
  date '1970-01-01' + pg_temp.pick(g, 10, 20000)::int,
  md5('c' || g),
  md5('d' || g),
  md5('e' || g)
FROM generate_series(1, :fire_rows) g;

WITH words AS (
  SELECT ARRAY['Marta','Ximena','Søren','Jürgen','Ewa','Łucja','Aoife','Seán','Noël','Bảo','明','Ingrid'] AS given,
         ARRAY['Oliveira','Núñez','Sørensen','Weiß','Żak','d''Arcy','Byrne','van Dijk','Lê','王','Şahin'] AS family,
         ARRAY['Station Road','Calle Mayor','Rue de l''Été','Ringstraße','Ulica Długa','Flat 2, "The Mill"'] AS street,
         ARRAY['Leeds','Valencia','Nîmes','Köln','Gdańsk','Porto','Utrecht'] AS city,
         ARRAY['GB','ES','FR','DE','PL','PT','NL'] AS country,
         ARRAY['44','34','33','49','48','351','31'] AS prefix
), people AS (
  SELECT g,
         given[1 + pg_temp.pick(g, 11, 12)] AS given,
         family[1 + pg_temp.pick(g, 12, 11)] AS family,
         street[1 + pg_temp.pick(g, 13, 6)] AS street,
         1 + pg_temp.pick(g, 14, 7) AS place,
         city, country, prefix
  FROM generate_series(1, :cust_rows) g, words
)
INSERT INTO customers
SELECT
  g,
  'person' || g || '@' || CASE pg_temp.pick(g, 15, 3) WHEN 0 THEN 'example.com' WHEN 1 THEN 'post.example.org' ELSE 'mail.example.net' END,
  CASE WHEN pg_temp.pick(g, 16, 50) > 0 THEN given || ' ' || family END,
  CASE WHEN pg_temp.pick(g, 17, 20) > 0 THEN '+' || prefix[place] || ' ' || lpad(pg_temp.pick(g, 18, 1000000000)::text, 9, '6') END,
  CASE WHEN pg_temp.pick(g, 19, 25) > 0 THEN date '1932-05-01' + pg_temp.pick(g, 20, 26000)::int END,
  (1 + pg_temp.pick(g, 21, 300)) || ' ' || street,
  city[place],
  CASE WHEN pg_temp.pick(g, 22, 30) > 0 THEN lpad(pg_temp.pick(g, 23, 100000)::text, 5, '0') END,
  country[place],
  CASE WHEN pg_temp.pick(g, 24, 30) > 0 THEN (pg_temp.pick(g, 25, 2200000) - 200000)::numeric / 100 END,
  timestamptz '2011-03-01 00:00:00+00' + make_interval(secs => pg_temp.pick(g, 26, 400000000)) + pg_temp.pick(g, 27, 1000000) * interval '1 microsecond',
  CASE WHEN pg_temp.pick(g, 28, 20) > 0 THEN jsonb_build_object(
    'language', lower(country[place]), 'dark', pg_temp.pick(g, 29, 3) = 0,
    'topics', jsonb_build_array('t' || pg_temp.pick(g, 30, 20), 'u' || pg_temp.pick(g, 31, 7)),
    'score', pg_temp.pick(g, 32, 10000)::numeric / 10000) END,
  CASE WHEN pg_temp.pick(g, 33, 17) > 0 THEN pg_temp.pick(g, 34, 5) > 1 END
FROM people;

VACUUM ANALYZE;
CHECKPOINT;
