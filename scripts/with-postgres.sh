#!/usr/bin/env bash
# with-postgres.sh COMMAND...: runs a command with one throw-away PostgreSQL server for all its tests, named in
# DUNLIN_TEST_POSTGRES, and stops it afterwards. Its data is worth nothing, so it never waits for the disk.
# A server that DUNLIN_TEST_POSTGRES names already is used as it is.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/postgres.sh"

if [ -z "${DUNLIN_TEST_POSTGRES:-}" ]; then
  trap postgres_stop EXIT
  trap 'exit 130' INT TERM
  postgres_start fsync=off full_page_writes=off synchronous_commit=off autovacuum=off max_connections=300 \
    shared_buffers=128MB
  export DUNLIN_TEST_POSTGRES=$PG_URL
fi
"$@"
