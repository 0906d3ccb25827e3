#!/usr/bin/env bash
# Record linkage beside Splink, over sets with known truth: pairwise F1 of the clusters by default settings, seconds,
# memory. The truth and the keys are hidden from both. See bench/duplicates.py.
#
#   ER_DATA=DIR     a folder with febrl1.csv, febrl3.csv, febrl4a.csv, febrl4b.csv, splink_fake_1000.csv, … each with
#                   `record_id` and `cluster_id`; without it only a made set is measured
#   PEOPLE=N        rows of the made set (1000000); 0 for none
#   ROUNDS=N        rounds of each, taking turns (3)
#   SPLINK=0        leaves Splink out
#   DUNLIN_BIN=…    the program that is measured; without it a release build is made first
set -euo pipefail
cd "$(dirname "$0")/.."
venv="$HOME/.cache/dunlin/venv"
if [ "${SPLINK:-1}" != 0 ]; then
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet splink
    python="$venv/bin/python"
else
    python=python3
fi
if [ -z "${DUNLIN_BIN:-}" ]; then
    cargo build --release -p dunlin --bin dunlin
    DUNLIN_BIN="${CARGO_TARGET_DIR:-$HOME/.cache/dunlin/target}/release/dunlin"
fi
export DUNLIN_BIN
exec "$python" bench/duplicates.py
