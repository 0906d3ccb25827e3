# Sourced by other scripts: one PostgreSQL cluster in a folder of its own, on a free port of the loopback. PostgreSQL
# refuses to run as root, so root lends the folder to the user `postgres`.
# shellcheck shell=bash

# The folder of the server's programs, the newest; nothing where there is none.
postgres_programs() {
  local bin
  for bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) "$(pg_config --bindir 2>/dev/null || true)"; do
    if [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ]; then
      echo "$bin"
      return
    fi
  done
}

postgres_user() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups "$@"
  else
    "$@"
  fi
}

# postgres_start SETTING...: starts a cluster; sets PG_FOLDER, PG_PORT and PG_URL (database `postgres`, superuser).
postgres_start() {
  local setting options='' try
  PG_BIN=$(postgres_programs)
  [ -n "$PG_BIN" ] || { echo 'PostgreSQL server programs are not installed' >&2; return 1; }
  PG_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/dunlin-pg-XXXXXX")
  [ "$(id -u)" -ne 0 ] || chown postgres: "$PG_FOLDER"
  (cd "$PG_FOLDER" && postgres_user "$PG_BIN/initdb" -A trust -U postgres -E UTF8 --no-locale --no-sync \
    -D "$PG_FOLDER/data" >"$PG_FOLDER.initdb" 2>&1) || { cat "$PG_FOLDER.initdb" >&2; return 1; }
  rm -f "$PG_FOLDER.initdb"
  for setting in "$@"; do options+=" -c $setting"; done
  for try in 1 2 3 4 5; do
    # Another process may take the port before the server does: then the next try has another one.
    PG_PORT=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if (cd "$PG_FOLDER" && postgres_user "$PG_BIN/pg_ctl" start -s -w -t 60 -D "$PG_FOLDER/data" -l "$PG_FOLDER/log" \
      -o "-p $PG_PORT -k $PG_FOLDER -c listen_addresses=127.0.0.1$options" </dev/null); then
      PG_URL="postgres://postgres@127.0.0.1:$PG_PORT/postgres"
      return 0
    fi
  done
  cat "$PG_FOLDER/log" >&2
  return 1
}

# Stops the cluster of postgres_start and removes its folder; harmless when there is none.
postgres_stop() {
  [ -n "${PG_FOLDER:-}" ] || return 0
  (cd / && postgres_user "$PG_BIN/pg_ctl" stop -s -m immediate -D "$PG_FOLDER/data" 2>/dev/null) || true
  rm -rf "$PG_FOLDER"
  PG_FOLDER=
}
