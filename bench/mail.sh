#!/usr/bin/env bash
# How many letters a second leave for a mail server on this machine that takes everything, each signed twice (RSA 2048 and
# Ed25519), its delivery durable before and after: `bench/mail.sh [LETTERS] [COURIERS]`. At least 500 are asked for.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/dunlin/target}
exec cargo run --quiet --profile "${PROFILE:-release}" -p dunlin-tell --example mail -- "${1:-10000}" "${2:-8}"
