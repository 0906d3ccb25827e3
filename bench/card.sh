#!/usr/bin/env bash
# The card of a notice on a host page in a real Chromium: how many bytes travel, and what it does to the page's load. The
# same page with and without the script takes turns; prints a Markdown table of medians. ROUNDS (15) changes how often;
# DUNLIN_BIN names a program, which is built where it does not; CHROMIUM names the browser.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/browser.sh
exec node bench/card.mjs
