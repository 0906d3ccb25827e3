#!/usr/bin/env bash
# Verification: 2 million customers on both sides of which ten differ (five changed, one of them by a microsecond, three
# missing, two extra), beside what the databases can do by themselves; taking turns, and prints a Markdown table.
#   CUST_ROWS=N  rows (2000000)      ROUNDS=N  rounds after a warm-up (3)
#   DUNLIN_BIN=… the program that is measured; without it a release build is made first
#   RELADIFF=1   reladiff from PyPI beside it, in a folder of its own
# shellcheck disable=SC2153
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../scripts/postgres.sh"
source "$here/measure.sh"
source "$here/cluster.sh"
source "$here/plans.sh"
CUST_ROWS=${CUST_ROWS:-2000000}
ROUNDS=${ROUNDS:-3}
GROUP="verification, customers, $CUST_ROWS rows a side, ten differences"

prepare() {
  "$here/../scripts/need-postgres.sh" >&2
  need_dunlin
  cluster 0 "$CUST_ROWS"
  mkdir "$WORK/workspace"
  plan plain customers id "$SRC" "$DST" old.public.customers >"$WORK/workspace/dunlin.toml"
  (cd "$WORK/workspace" && "$DUNLIN_BIN" --format json run >/dev/null)
  dst <<SQL
UPDATE customers SET email = email || 'x' WHERE id = $((CUST_ROWS / 10));
UPDATE customers SET balance = coalesce(balance, 0) + 0.01 WHERE id = $((CUST_ROWS / 5));
UPDATE customers SET phone = NULL WHERE id = (SELECT min(id) FROM customers WHERE id > $((CUST_ROWS / 3)) AND phone IS NOT NULL);
UPDATE customers SET created_at = created_at + interval '1 microsecond' WHERE id = $((CUST_ROWS / 2));
UPDATE customers SET full_name = ' ' || full_name WHERE id = (SELECT min(id) FROM customers WHERE id > $((CUST_ROWS * 3 / 5)) AND full_name IS NOT NULL);
DELETE FROM customers WHERE id IN (7, $((CUST_ROWS / 4)), $CUST_ROWS);
INSERT INTO customers SELECT 10 * $CUST_ROWS + n, email, full_name, phone, dob, address, city, postcode, country, balance,
  created_at, preferences, marketing_consent FROM customers, generate_series(1, 2) n WHERE id = 5;
VACUUM ANALYZE customers;
CHECKPOINT;
SQL
}

copy_both() {
  src -c 'copy customers to stdout' >/dev/null
  dst -c 'copy customers to stdout' >/dev/null
}

ordered_hash() {
  local all='copy (select * from customers order by id) to stdout'
  [ "$(src -c "$all" | sha256sum)" != "$(dst -c "$all" | sha256sum)" ]
}

hash_inside() {
  local sum="select sum(('x' || left(md5(c::text), 15))::bit(60)::bigint::numeric) from customers c"
  [ "$(src -Atc "$sum")" != "$(dst -Atc "$sum")" ]
}

# Becomes dunlin, so that the process that is measured is dunlin itself. It ends with 1, for there are differences.
dunlin() {
  cd "$WORK/workspace"
  exec "$DUNLIN_BIN" --format json verify >"$WORK/last.json" 2>"$WORK/last.err"
}

all_ten() {
  local found
  found=$(grep -o '"kind": *"\(missing\|extra\|changed\)"' "$WORK/last.json" | wc -l)
  [ "$found" -eq 10 ] || { echo "dunlin found $found of 10" >&2; exit 1; }
}

reladiff_round() {
  local venv=$HOME/.cache/dunlin/venv-reladiff
  if [ ! -x "$venv/bin/reladiff" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q reladiff psycopg2-binary >&2
  fi
  "$venv/bin/reladiff" "${SRC/postgres:/postgresql:}" customers "${DST/postgres:/postgresql:}" customers -k id -c % -j 4 >"$WORK/reladiff.out" 2>"$WORK/reladiff.err" || true
  echo "  reladiff names $(grep -c '^[+-]' "$WORK/reladiff.out" || true) rows" >&2
}

main() {
  prepare
  for ROUND in $(seq 0 "$ROUNDS"); do
    measure "$GROUP" 'COPY of both sides to nowhere (the floor)' copy_both
    measure "$GROUP" 'ordered COPY of both | sha256sum: that they differ' ordered_hash
    measure "$GROUP" 'sum of md5 inside both: that they differ' hash_inside
    OK_CODE=1 measure "$GROUP" 'dunlin verify: the ten keys and their columns' dunlin
    all_ten
    [ -z "${RELADIFF:-}" ] || measure "$GROUP" 'reladiff, all columns' reladiff_round
  done
  echo "$CUST_ROWS rows a side; median of $ROUNDS after a warm-up, alternated; $(nproc) cores; $(date -u +%Y-%m-%d)."
  report
}

main
