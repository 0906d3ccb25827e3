# Sourced by run.sh: takes times, keeps them, prints them as a Markdown table.
# shellcheck shell=bash

RESULTS=$(mktemp "${TMPDIR:-/tmp}/dunlin-bench-times-XXXXXX")

# Prints the most memory in kB that a process held, once it has ended. VmHWM is the highest so far, so looking now and
# then misses next to nothing.
watch_memory() {
  local now peak=0
  while kill -0 "$1" 2>/dev/null; do
    now=$(awk '/^VmHWM/ { print $2 }' "/proc/$1/status" 2>/dev/null || true)
    [ -z "$now" ] || peak=$now
    sleep 0.1
  done
  echo "$peak"
}

# measure GROUP NAME COMMAND...: runs a command and notes its seconds and, for dunlin, the memory it took at its peak.
# The warm-up (ROUND 0) is run and not noted. OK_CODE is the exit code that is wanted, 0 without it.
measure() {
  local group=$1 name=$2 begun ended pid watcher peak=0 code=0
  shift 2
  begun=$EPOCHREALTIME
  if [[ $name == dunlin* ]]; then
    "$@" &
    pid=$!
    watch_memory "$pid" >"$RESULTS.peak" &
    watcher=$!
    wait "$pid" || code=$?
    ended=$EPOCHREALTIME
    wait "$watcher"
    peak=$(cat "$RESULTS.peak")
  else
    "$@" || code=$?
    ended=$EPOCHREALTIME
  fi
  if [ "$code" -ne "${OK_CODE:-0}" ]; then
    echo "bench: $group, $name: exit $code" >&2
    [[ $name != dunlin* ]] || [ ! -f "$WORK/last.err" ] || cat "$WORK/last.err" "$WORK/last.json" >&2
    return "$code"
  fi
  awk -v a="$begun" -v b="$ended" -v g="$group" -v n="$name" -v r="$ROUND" -v p="$peak" \
    'BEGIN { printf "%s\t%s\t%d\t%.3f\t%d\n", g, n, r, b - a, p }' >>"$RESULTS"
  tail -n 1 "$RESULTS" | awk -F'\t' '{ printf "  %-24s %-44s round %s  %8.2f s\n", $1, $2, $3, $4 }' >&2
}

# also GROUP NAME SECONDS: notes a part of what was measured last.
also() {
  printf '%s\t%s\t%d\t%.3f\t0\n' "$1" "$2" "$ROUND" "$3" >>"$RESULTS"
}

# report: a Markdown table a group; the first row of a group is its floor, 1.00.
report() {
  awk -F'\t' '
    $3 == 0 { next }
    {
      key = $1 SUBSEP $2
      if (!(key in count)) { order[++keys] = key; if (!($1 in floor)) floor[$1] = key }
      times[key, ++count[key]] = $4
      if ($5 > peak[key]) peak[key] = $5
    }
    function sort(key,   i, j, t) {
      for (i = 2; i <= count[key]; i++)
        for (j = i; j > 1 && times[key, j] < times[key, j - 1]; j--) {
          t = times[key, j]; times[key, j] = times[key, j - 1]; times[key, j - 1] = t
        }
    }
    function median(key,   n) {
      n = count[key]
      return n % 2 ? times[key, (n + 1) / 2] : (times[key, n / 2] + times[key, n / 2 + 1]) / 2
    }
    END {
      for (k = 1; k <= keys; k++) sort(order[k])
      for (k = 1; k <= keys; k++) {
        key = order[k]; split(key, part, SUBSEP); base = median(floor[part[1]])
        if (part[1] != last) {
          printf "\n### %s\n\n| | seconds, median | min – max | of the floor | peak memory |\n| --- | ---: | ---: | ---: | ---: |\n", part[1]
          last = part[1]
        }
        memory = peak[key] > 0 ? sprintf("%.0f MB", peak[key] / 1024) : ""
        printf "| %s | %.2f | %.2f – %.2f | %.2f | %s |\n", part[2], median(key), times[key, 1], times[key, count[key]], median(key) / base, memory
      }
    }' <(sort -s -t"$(printf '\t')" -k1,1 "$RESULTS")
}
