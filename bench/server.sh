#!/usr/bin/env bash
# Signed-in clients with live streams that ask at a fixed rate, against a server of its own; prints a Markdown table.
# CLIENTS, RATE (requests a second) and SECONDS_LONG change it. The goal: no error, p99 under 100 ms, under 300 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/dunlin/target}
PROFILE=${PROFILE:-release}
cargo build --profile "$PROFILE" -p dunlin-server --example serve_fake --example load >&2
bin=$CARGO_TARGET_DIR/$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE")/examples
work=$(mktemp -d "${TMPDIR:-/tmp}/dunlin-load-XXXXXX")
server=
cleanup() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
mkdir "$work/workspace"
# All clients come from one address here; the limits for one address are not what is measured.
cat >"$work/workspace/server.toml" <<TOML
[limits]
per_address = 1000000
per_person = 1000000
connections = 4000
connections_per_address = 4000
TOML
ulimit -n 8192 || true
"$bin/serve_fake" "$work" 127.0.0.1:0 >"$work/out" 2>"$work/err" &
server=$!
for _ in $(seq 100); do grep -q http "$work/out" && break; sleep 0.1; done
url=$(grep -m1 -o 'http[^ ]*' "$work/out")
echo '| load | errors | median | p99 | slowest | events | peak memory |'
echo '| --- | ---: | ---: | ---: | ---: | ---: | ---: |'
"$bin/load" "$work" "$url" "$server" "${CLIENTS:-500}" "${RATE:-200}" "${SECONDS_LONG:-60}"
