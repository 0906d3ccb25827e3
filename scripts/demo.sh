#!/usr/bin/env bash
# demo.sh PROGRAM: the demo in ./dunlin-demo, from nothing; what an earlier demo left there goes first.
set -euo pipefail
program=$1
folder=dunlin-demo

# An earlier demo's keys lie outside its folder, under the id that its ledger begins with.
if [ -d "$folder/.dunlin/ledger" ]; then
  id=$(grep -raohE '"workspace":"[0-9a-f-]{36}"' "$folder/.dunlin/ledger/tile" | head -n 1 | cut -d'"' -f4 || true)
  keys=${DUNLIN_KEYS:-$HOME/.config/dunlin/keys}
  if [ -n "$id" ] && [ -f "$keys/$id/keyring.json" ]; then rm -r "${keys:?}/$id"; fi
fi
rm -rf "$folder"
code=0
"$program" demo --dir "$folder" --no-serve || code=$?
printf 'The program of this demo: %s\n' "$program"
exit "$code"
