#!/usr/bin/env bash
# What is in the data: profile, kinds and ten rules beside DuckDB, polars and others; scores of kinds and spans. See README.md.
# usage: bench/quality.sh CUSTOMERS.csv [LABELLED]    DUNLIN_BIN, ROUNDS (3) and PEERS (a folder for them) as variables;
# WITH="pandera soda gx presidio dataprofiler" adds those, each from PyPI in a folder of its own, measured once.
set -euo pipefail
cd "$(dirname "$0")/.."
CSV=$(realpath "${1:?name a CSV file of customers}")
LABELLED=${2:-}
ROUNDS=${ROUNDS:-3}
PEERS=${PEERS:-$HOME/.cache/dunlin/venv-quality}
TARGET=${CARGO_TARGET_DIR:-$HOME/.cache/dunlin/target}
DUNLIN_BIN=${DUNLIN_BIN:-$TARGET/release/dunlin}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/dunlin-quality-XXXXXX")
trap 'rm -rf "$WORK"' EXIT
[ -x "$DUNLIN_BIN" ] || cargo build --release --bin dunlin
if [ ! -x "$PEERS/bin/python" ]; then python3 -m venv "$PEERS"; fi
"$PEERS/bin/python" -c 'import duckdb, polars' 2>/dev/null || "$PEERS/bin/pip" install -q duckdb polars

packages() { # NAME: what of PyPI it takes
  case $1 in
    pandera) echo pandera pandas ;;
    soda) echo soda-core-duckdb setuptools ;;
    gx) echo great_expectations pandas ;;
    presidio) echo presidio-analyzer pandas ;;
    dataprofiler) echo DataProfiler setuptools ;;
    *) echo "WITH: $1 is not known; it takes pandera, soda, gx, presidio, dataprofiler" >&2; return 2 ;;
  esac
}
OTHERS=()
for name in ${WITH:-}; do
  wanted=$(packages "$name")
  [ -x "$PEERS-$name/bin/python" ] || python3 -m venv "$PEERS-$name"
  # Some want an older Python than this machine has: they are left out, and it is said.
  # shellcheck disable=SC2086 # a list of packages
  if [ -e "$PEERS-$name/ready" ] || "$PEERS-$name/bin/pip" install -q $wanted; then
    touch "$PEERS-$name/ready"
    OTHERS+=("$name")
  else
    echo "$name cannot be installed here and is left out" >&2
  fi
done

run() { # NAME
  case $1 in
    dunlin) (cd "$WORK" && "$DUNLIN_BIN" profile "$CSV" --rules "$OLDPWD/bench/rules.toml" --format json) |
      grep '"broken"' | sed -E 's/.*"broken":([0-9a-z]+).*/\1/' | paste -sd' ' ;;
    duckdb | polars) "$PEERS/bin/python" bench/quality_peers.py "$1" "$CSV" ;;
    *) "$PEERS-$1/bin/python" bench/quality_peers.py "$1" "$CSV" ;;
  esac
}

for round in $(seq 0 "$ROUNDS"); do
  for name in dunlin duckdb polars; do
    began=$EPOCHREALTIME
    run "$name" >"$WORK/$name.counts"
    ended=$EPOCHREALTIME
    [ "$round" = 0 ] || awk -v a="$began" -v b="$ended" 'BEGIN { print b - a }' >>"$WORK/$name.times"
  done
done

# Once each: they take minutes.
for name in "${OTHERS[@]}"; do
  began=$EPOCHREALTIME
  if ! run "$name" >"$WORK/$name.counts" 2>"$WORK/$name.log"; then
    echo "$name failed: $(tail -1 "$WORK/$name.log")" | tee "$WORK/$name.counts" >&2
  fi
  awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }' >>"$WORK/$name.times"
done

middle() { sort -n "$WORK/$1.times" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
floor=$(middle duckdb)
echo "| profile, kinds and ten rules of $(($(wc -l <"$CSV") - 1)) rows | against DuckDB = 1.00 | seconds | the ten counts |"
echo "| --- | --- | --- | --- |"
for name in dunlin duckdb polars "${OTHERS[@]}"; do
  awk -v n="$name" -v s="$(middle $name)" -v f="$floor" -v c="$(tail -1 "$WORK/$name.counts")" -v r="$(sort -n "$WORK/$name.times" | sed -n '1p;$p' | paste -sd- )" \
    'BEGIN { printf "| %s | %.2f | %.2f (%s) | %s |\n", n, s / f, s, r, c }'
done
if [ -n "$LABELLED" ]; then
  echo
  cargo build -q --release --workspace --features dunlin/failpoints --example score_kinds
  "$TARGET/release/examples/score_kinds" "$LABELLED" | sed 's/^/    /'
  "$TARGET/release/examples/score_kinds" "$LABELLED" --bare | sed 's/^/    /'
fi
