#!/usr/bin/env bash
# Lighthouse on the overview of a demo workspace, signed in: its desktop preset and its phone; prints a Markdown table.
# Needs npm's registry. The reports go into $OUT (bench/lighthouse-reports, not kept in git). Goal: 95 or more.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/browser.sh
exec node bench/lighthouse.mjs
