#!/usr/bin/env bash
# demo.sh PROGRAM: the demo in ./dunlin-demo, from nothing, and the web app on it; what an earlier demo left goes first.
# At a terminal it serves until Ctrl-C; elsewhere the server stays behind and the line that stops it is printed.
set -euo pipefail
program=$1
folder=dunlin-demo

if [ -f "$folder/serve.pid" ]; then kill "$(cat "$folder/serve.pid")" 2>/dev/null || true; fi
# An earlier demo's keys lie outside its folder, under the id that its ledger begins with.
if [ -d "$folder/.dunlin/ledger" ]; then
  id=$(grep -raohE '"workspace":"[0-9a-f-]{36}"' "$folder/.dunlin/ledger/tile" | head -n 1 | cut -d'"' -f4 || true)
  keys=${DUNLIN_KEYS:-$HOME/.config/dunlin/keys}
  if [ -n "$id" ] && [ -f "$keys/$id/keyring.json" ]; then rm -r "${keys:?}/$id"; fi
fi
rm -rf "$folder"
printf 'The program of this demo: %s\n' "$program"
if [ -t 1 ] && [ -z "${DUNLIN_DEMO_NO_SERVE:-}" ]; then
  exec "$program" demo --dir "$folder"
fi
"$program" demo --dir "$folder" --no-serve
[ -z "${DUNLIN_DEMO_NO_SERVE:-}" ] || exit 0
# The usual port, or a free one where that is taken.
for listen in '' '--listen=127.0.0.1:0'; do
  # shellcheck disable=SC2086 # none is no argument
  setsid "$program" --dir "$folder" serve $listen >"$folder/serve.log" 2>&1 </dev/null &
  server=$!
  for _ in $(seq 100); do
    if grep -m1 'dunlin answers at' "$folder/serve.log"; then
      echo $server >"$folder/serve.pid"
      echo "The server stays behind; this stops it: kill $server"
      exit 0
    fi
    kill -0 $server 2>/dev/null || break
    sleep 0.1
  done
done
cat "$folder/serve.log" >&2
exit 1
