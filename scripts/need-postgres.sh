#!/usr/bin/env bash
# Makes sure that PostgreSQL's server programs are on this machine: through apt where that can be done unattended,
# otherwise says the line to type. Starts nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/postgres.sh"

[ -z "$(postgres_programs)" ] || exit 0
install='apt-get install -y --no-install-recommends postgresql'
if ! command -v apt-get >/dev/null; then
  echo 'The tests need the PostgreSQL server programs (initdb, postgres). Install PostgreSQL 12 or newer.' >&2
  exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  printf 'The tests need PostgreSQL. Type:\n\n    sudo %s\n\n' "$install" >&2
  exit 1
fi
echo 'PostgreSQL is missing: installing it through apt'
"${as_root[@]}" apt-get update -qq </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install </dev/null >/dev/null
[ -n "$(postgres_programs)" ] || { echo 'PostgreSQL was installed, yet initdb is not found' >&2; exit 1; }
