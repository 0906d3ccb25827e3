#!/usr/bin/env bash
# 100,000 tasks as the server holds them: finding, grouping, sorting, editing, the schedule. Prints milliseconds.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo run --quiet --profile "${PROFILE:-demo}" -p dunlin-work --example hundred_thousand
