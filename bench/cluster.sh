# Sourced by run.sh and verify.sh: a PostgreSQL of their own with the tables of schema.sql in `src`, and an empty `dst`; the
# program that is measured; a working folder, which goes at the end.
# shellcheck shell=bash
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/dunlin/target}

WORK=
cleanup() {
  postgres_stop
  if [ -n "$WORK" ]; then rm -rf "$WORK"; fi
  rm -f "$RESULTS" "$RESULTS.peak"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

src() { psql -X -q -v ON_ERROR_STOP=1 "$SRC" "$@"; }
dst() { psql -X -q -v ON_ERROR_STOP=1 "$DST" "$@"; }

need_dunlin() {
  if [ -z "${DUNLIN_BIN:-}" ]; then
    (cd "$here/.." && cargo build --release -p dunlin >&2)
    DUNLIN_BIN=$CARGO_TARGET_DIR/release/dunlin
  fi
  DUNLIN_BIN=$(realpath "$DUNLIN_BIN")
  [ -x "$DUNLIN_BIN" ] || { echo "there is no program at $DUNLIN_BIN" >&2; exit 2; }
}

# cluster FIRE_ROWS CUST_ROWS: starts it and fills `src`.
cluster() {
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/dunlin-bench-XXXXXX")
  # Keys of the throw-away workspaces.
  export DUNLIN_KEYS=$WORK/keys
  postgres_start max_wal_size=8GB checkpoint_timeout=1h
  psql -X -q "$PG_URL" -c 'CREATE DATABASE src' -c 'CREATE DATABASE dst'
  SRC=${PG_URL%/*}/src
  DST=${PG_URL%/*}/dst
  echo "making $1 + $2 rows" >&2
  src -f "$here/schema.sql"
  src -v fire_rows="$1" -v cust_rows="$2" -f "$here/gen.sql"
}
