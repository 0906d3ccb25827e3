#!/usr/bin/env bash
# Throws generated requests at the API, by its own OpenAPI file: no answer may be a 5xx, and none may hold a value, a path
# or a stack. EXAMPLES (of each operation) chooses how many. Needs Python 3 with pip; says so and passes without.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/dunlin/target}
EXAMPLES=${EXAMPLES:-5}
# The newest that was tried here; another one may judge otherwise.
VERSION=4.32.5

venv=$HOME/.cache/dunlin/venv
if ! "$venv/bin/schemathesis" --version 2>/dev/null | grep -q "$VERSION"; then
  if ! python3 -m venv "$venv" >/dev/null 2>&1 || ! "$venv/bin/pip" install -q "schemathesis==$VERSION" >/dev/null 2>&1; then
    echo 'schemathesis could not be installed (python3 with venv and pip, PyPI): the API is not fuzzed'
    exit 0
  fi
fi

cargo build -q --workspace --features dunlin/failpoints --example serve_fake
work=$(mktemp -d "${TMPDIR:-/tmp}/dunlin-fuzz-XXXXXX")
server=
cleanup() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
mkdir "$work/workspace"
# Limits would answer 429 and hide what is behind them; hashing is as cheap as it can be made.
cat >"$work/workspace/server.toml" <<TOML
[limits]
per_address = 100000000
per_person = 100000000
connections_per_address = 4000
[guard]
mfa_roles = []
[guard.hashing]
memory_kib = 8
passes = 1
[guard.limits]
monitor_only = true
links_per_network = 100000000
TOML
"$CARGO_TARGET_DIR/debug/examples/serve_fake" "$work" 127.0.0.1:0 >"$work/out" 2>"$work/err" &
server=$!
for _ in $(seq 100); do grep -q secret "$work/out" && break; sleep 0.1; done
url=$(grep -m1 -o 'http[^ ]*' "$work/out")
secret=$(sed -n 's/^set-up secret: //p' "$work/out")
password='curlew dunlin sanderling knot'
curl -sS -o /dev/null -D "$work/head" -H "Origin: $url" --data-urlencode "secret=$secret" --data-urlencode 'name=Ana' \
  --data-urlencode 'email=ana@example.com' --data-urlencode "password=$password" "$url/set-up"
cookie=$(sed -n 's/^set-cookie: \([^;]*\);.*/\1/ip' "$work/head" | tr -d '\r' | head -1)
csrf=$(curl -sS -H "Cookie: $cookie" "$url/api/v1/me" | python3 -c 'import json,sys; print(json.load(sys.stdin)["csrf"])')

# What ends the session that asks, and the stream that never ends, are shown by tests of their own.
skip=(sign_out events me_sessions_end me_password)
arguments=()
for operation in "${skip[@]}"; do arguments+=(--exclude-operation-id "$operation"); done
code=0
"$venv/bin/schemathesis" run crates/dunlin-server/openapi.json --url "$url" --checks not_a_server_error \
  --phases examples,fuzzing --max-examples "$EXAMPLES" --seed 4711 --workers 2 --generation-database none \
  --request-timeout 20 -H "Cookie: $cookie" -H "X-CSRF-Token: $csrf" -H "Origin: $url" \
  "${arguments[@]}" --report ndjson --report-ndjson-path "$work/seen.ndjson" --no-color >"$work/said" 2>&1 || code=$?
tail -n 25 "$work/said"
python3 scripts/leaks.py "$work/seen.ndjson" "$work" || code=1
kill -0 "$server" || { echo 'the server died'; tail -5 "$work/err"; code=1; }
exit "$code"
