# Sourced by run.sh: other programs that move a table from PostgreSQL to PostgreSQL, each as its own documentation would have
# it done, into a database without the table. PEERS chooses: pgcopydb and pgloader (from apt), sling and dlt (from PyPI, into
# a folder of their own).
# shellcheck shell=bash
VENV=${VENV:-$HOME/.cache/dunlin/venv-peers}

has_peer() { [[ " ${PEERS:-} " == *" $1 "* ]]; }

need_peers() {
  local name missing=()
  for name in pgcopydb pgloader; do
    if has_peer $name && ! command -v $name >/dev/null; then missing+=("$name"); fi
  done
  if [ ${#missing[@]} -gt 0 ]; then
    echo "missing: apt-get install ${missing[*]}" >&2
    exit 2
  fi
  if has_peer sling || has_peer dlt; then
    [ -x "$VENV/bin/pip" ] || python3 -m venv "$VENV"
    "$VENV/bin/pip" install -q --disable-pip-version-check sling-linux-amd64==1.4.11 'dlt[postgres]' sqlalchemy \
      psycopg2-binary pyarrow connectorx >&2
  fi
}

# A database with only this table: with a filter pgcopydb 0.10 restores the identity column of a table it left out, and
# ends. Made once, before anything is measured.
alone() {
  psql -X -q "$PG_URL" -c "CREATE DATABASE src_$1 TEMPLATE src"
  psql -X -q "${PG_URL%/*}/src_$1" <<SQL
select format('DROP TABLE %I CASCADE', relname) from pg_class
  where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> '$1' \\gexec
SQL
}

# It ends its whole process group when it fails, so it gets one of its own.
pgcopydb_clone() {
  rm -rf "$WORK/pgcopydb"
  setsid -w pgcopydb clone --source "${PG_URL%/*}/src_$1" --target "$DST" --dir "$WORK/pgcopydb" --table-jobs "$(nproc)" \
    --index-jobs "$(nproc)" --split-tables-larger-than 200MB --skip-extensions --skip-large-objects >"$WORK/peer.out" 2>&1
}

pgloader_load() {
  cat >"$WORK/pgloader.load" <<LOAD
LOAD DATABASE FROM $SRC INTO $DST
  WITH workers = 4, concurrency = 2
  INCLUDING ONLY TABLE NAMES MATCHING '$1' IN SCHEMA 'public';
LOAD
  pgloader "$WORK/pgloader.load" >"$WORK/peer.out" 2>&1
}

sling_run() {
  local program
  program=$(echo "$VENV"/lib/python3*/site-packages/sling_linux_amd64/bin/sling-linux-amd64)
  SLING_DISABLE_TELEMETRY=true "$program" run --src-conn "$SRC?sslmode=disable" --src-stream "public.$1" \
    --tgt-conn "$DST?sslmode=disable" --tgt-object "public.$1" --mode full-refresh >"$WORK/peer.out" 2>&1
}

dlt_run() {
  rm -rf "$WORK/dlt"
  (cd "$WORK" && RUNTIME__DLTHUB_TELEMETRY=false "$VENV/bin/python" - "$SRC" "$DST" "$1" >"$WORK/peer.out" 2>&1) <<'PY'
import sys
import dlt
from dlt.sources.sql_database import sql_table

source, target, table = sys.argv[1:]
rows = sql_table(
    source.replace("postgres://", "postgresql+psycopg2://"), table=table, schema="public", backend="pyarrow", chunk_size=50_000
)
# It wants a password even where the server asks for none.
target = dlt.destinations.postgres(credentials=target.replace("postgres://postgres@", "postgresql://postgres:unused@"))
pipeline = dlt.pipeline("bench", destination=target, dataset_name="public", pipelines_dir="dlt")
pipeline.run(rows, write_disposition="replace")
PY
}

# peers_round GROUP TABLE: a peer that fails or loses rows is said and costs the others nothing.
peers_round() {
  local group=$1 table=$2 name
  for name in pgcopydb:pgcopydb_clone pgloader:pgloader_load sling:sling_run dlt:dlt_run; do
    if ! has_peer "${name%%:*}"; then continue; fi
    reset none "$table"
    dst -c 'SET client_min_messages = error' -c 'DROP TABLE IF EXISTS _dlt_version, _dlt_loads, _dlt_pipeline_state'
    if [ "$name" = pgcopydb:pgcopydb_clone ] && [ "$ROUND" -eq 0 ]; then alone "$table"; dst -c CHECKPOINT; fi
    if measure "$group" "${name%%:*}" "${name##*:}" "$table"; then
      arrived "$table" "${name%%:*}"
    else
      tail -n 15 "$WORK/peer.out" >&2
    fi
  done
}

arrived() {
  local wanted there
  wanted=$(src -Atc "select count(*) from $1")
  there=$(dst -Atc "select count(*) from $1")
  [ "$there" -eq "$wanted" ] || echo "$2: $there of $wanted rows of $1 arrived" >&2
}
