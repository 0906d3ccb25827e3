#!/usr/bin/env bash
# The grid of Work over 100,000 tasks in a real Chromium; prints a Markdown table beside its goals. TASKS changes how many;
# DUNLIN_BIN names an optimised program, which is built where it does not; CHROMIUM names the browser.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/browser.sh
exec node bench/grid.mjs
