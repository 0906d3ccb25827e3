#!/usr/bin/env bash
# How many ledger entries a second become durable, and how long one takes, beside the disk's own fsync and a bare SQLite.
# The folder decides which disk is measured: `bench/ledger.sh [FOLDER] [SECONDS]`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/dunlin/target}
folder=${1:-$HOME/.cache/dunlin/bench}
mkdir -p "$folder"
cd "$here/.."
exec cargo run --quiet --release -p dunlin-store --example ledger -- "$folder" "${2:-5}"
