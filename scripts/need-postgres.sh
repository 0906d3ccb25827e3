#!/usr/bin/env bash
# Makes sure that PostgreSQL's server programs are on this machine: through apt where that can be done unattended,
# otherwise says the line to type. Starts nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/postgres.sh"
source "$here/apt.sh"

[ -z "$(postgres_programs)" ] || exit 0
apt_install PostgreSQL postgresql
[ -n "$(postgres_programs)" ] || { echo 'PostgreSQL was installed, yet initdb is not found' >&2; exit 1; }
