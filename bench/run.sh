#!/usr/bin/env bash
# Measures dunlin beside the floor of each kind of move, alternated in the same run, and prints Markdown tables.
# See README.md in this folder for what is compared and which variables change it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../scripts/postgres.sh"
source "$here/measure.sh"
source "$here/cluster.sh"
source "$here/plans.sh"
source "$here/peers.sh"

FIRE_ROWS=${FIRE_ROWS:-3000000}
CUST_ROWS=${CUST_ROWS:-2000000}
FILE_ROWS=${FILE_ROWS:-500000}
ROUNDS=${ROUNDS:-3}
PARTS=${PARTS:-postgres csv sqlite}
FLOORS_ONLY=${FLOORS_ONLY:-}

has_part() { [[ " $PARTS " == *" $1 "* ]]; }

# ---- Preparing -------------------------------------------------------------------------------------------------

prepare() {
  "$here/../scripts/need-postgres.sh" >&2
  ! has_part sqlite || command -v sqlite3 >/dev/null || { echo 'sqlite3 is missing: apt-get install sqlite3' >&2; exit 2; }
  [ -n "$FLOORS_ONLY" ] || need_dunlin
  need_peers
  cluster "$FIRE_ROWS" "$CUST_ROWS"
  local few="(select * from customers where id <= $FILE_ROWS order by id)"
  if has_part csv || has_part sqlite; then
    src -c "\\copy $few to '$WORK/customers.csv' (format csv, header)"
  fi
  if has_part sqlite; then make_sqlite; fi
}

make_sqlite() {
  sqlite3 "$WORK/old.db" <<SQL
create table customers (id integer primary key, email text not null, full_name text, phone text, dob text, address text,
  city text, postcode text, country text, balance text, created_at text not null, preferences text,
  marketing_consent text);
.import --csv --skip 1 $WORK/customers.csv customers
update customers set full_name = nullif(full_name, ''), phone = nullif(phone, ''), dob = nullif(dob, ''),
  postcode = nullif(postcode, ''), balance = nullif(balance, ''), preferences = nullif(preferences, ''),
  marketing_consent = nullif(marketing_consent, '');
vacuum;
SQL
}

# An empty target. `keyed`: the table is there with its primary key; `bare`: without; `none`: not at all.
reset() {
  local kind=$1 table=$2
  dst -c 'SET client_min_messages = error' -c "DROP TABLE IF EXISTS $table" -c 'DROP SCHEMA IF EXISTS dunlin CASCADE'
  if [ "$kind" != none ]; then
    (cd "$here" && awk -v t="$table" '$0 ~ "^CREATE TABLE " t " " { on = 1 } on { print } on && /^\);/ { exit }' schema.sql) | dst
  fi
  if [ "$kind" = bare ]; then dst -c "ALTER TABLE $table DROP CONSTRAINT ${table}_pkey"; fi
  dst -c CHECKPOINT
}

# ---- Contestants -----------------------------------------------------------------------------------------------

text_pipe() {
  src -c "copy $1 to stdout" | dst -c "copy $1 from stdin"
}

two_binary_pipes() {
  local table=$1 key=$2 rows=$3
  local half=$((rows / 2)) first
  (src -c "copy (select * from $table where $key <= $half) to stdout (format binary)" \
    | dst -c "copy $table from stdin (format binary)") &
  first=$!
  src -c "copy (select * from $table where $key > $half) to stdout (format binary)" \
    | dst -c "copy $table from stdin (format binary)"
  wait "$first"
  dst -c "ALTER TABLE $table ADD PRIMARY KEY ($key)"
}

copy_csv() {
  dst -c "\\copy customers from '$WORK/customers.csv' (format csv, header)"
}

sqlite_pipe() {
  sqlite3 -csv "$WORK/old.db" 'select * from customers' | dst -c 'copy customers from stdin (format csv)'
}

# Becomes dunlin, so that the process that is measured is dunlin itself.
dunlin() {
  cd "$WORK/workspace"
  exec "$DUNLIN_BIN" --format json run >"$WORK/last.json" 2>"$WORK/last.err"
}

workspace() {
  rm -rf "$WORK/workspace"
  mkdir "$WORK/workspace"
  plan "$@" >"$WORK/workspace/dunlin.toml"
}

# ---- Rounds ----------------------------------------------------------------------------------------------------

# What `dunlin run` takes holds more than the pipe's copying: it also reads the target again and reconciles.
dunlin_round() {
  local group=$1 name=$2 target=$3 shape=$4 table=$5 key=$6 url=$7 from=$8
  [ -z "$FLOORS_ONLY" ] || return 0
  reset "$target" "$table"
  workspace "$shape" "$table" "$key" "$url" "$DST" "$from"
  measure "$group" "$name" dunlin
  also "$group" "$name: its load, before the key and the reading back" "$(loaded_in)"
  check "$table"
}

# What dunlin says of its own load: seconds until the rows and their receipts are in the target.
loaded_in() {
  grep -o '"seconds": *[0-9.]*' "$WORK/last.json" | head -n 1 | grep -o '[0-9.]*$'
}

# A time counts only when every row arrived.
check() {
  local wanted=$CUST_ROWS there
  [ "$1" != firenibble ] || wanted=$FIRE_ROWS
  if [ "${EXPECT:-}" ]; then wanted=$EXPECT; fi
  there=$(dst -Atc "select count(*) from $1")
  [ "$there" -eq "$wanted" ] || { echo "$1: $there rows arrived, $wanted were sent" >&2; exit 1; }
}

postgres_round() {
  local table=$1 key=$2 rows=$3 group
  group="PostgreSQL to PostgreSQL, $table"
  reset keyed "$table"; measure "$group" 'text pipe (the floor)' text_pipe "$table"; check "$table"
  reset bare "$table"; measure "$group" 'two binary pipes, key built after' two_binary_pipes "$table" "$key" "$rows"; check "$table"
  dunlin_round "$group" 'dunlin' none plain "$table" "$key" "$SRC" "old.public.$table"
  dunlin_round "$group" 'dunlin, ten rules, two columns masked' none rules "$table" "$key" "$SRC" "old.public.$table"
  peers_round "$group" "$table"
}

csv_round() {
  local group='CSV to PostgreSQL, customers' EXPECT=$FILE_ROWS
  [ "$EXPECT" -le "$CUST_ROWS" ] || EXPECT=$CUST_ROWS
  reset keyed customers; measure "$group" '\copy (the floor)' copy_csv; check customers
  dunlin_round "$group" 'dunlin' keyed plain customers id "file:$WORK/customers.csv" old
}

sqlite_round() {
  local group='SQLite to PostgreSQL, customers' EXPECT=$FILE_ROWS
  [ "$EXPECT" -le "$CUST_ROWS" ] || EXPECT=$CUST_ROWS
  reset keyed customers; measure "$group" 'sqlite3 -csv, copy (the floor)' sqlite_pipe; check customers
  dunlin_round "$group" 'dunlin' keyed plain customers id "sqlite:$WORK/old.db" old.customers
}

main() {
  prepare
  for ROUND in $(seq 0 "$ROUNDS"); do
    if has_part postgres; then
      [ "$FIRE_ROWS" -eq 0 ] || postgres_round firenibble f0 "$FIRE_ROWS"
      postgres_round customers id "$CUST_ROWS"
    fi
    if has_part csv; then csv_round; fi
    if has_part sqlite; then sqlite_round; fi
  done
  echo "firenibble $FIRE_ROWS rows, customers $CUST_ROWS rows, files $FILE_ROWS rows; median of $ROUNDS after a warm-up, alternated."
  echo "$(psql -X -Atc 'show server_version' "$PG_URL" | sed 's/^/PostgreSQL /'), fsync on, loopback; $(nproc) cores, $(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo) memory, $(uname -sm); $(date -u +%Y-%m-%d)."
  report
}

main
