#!/usr/bin/env bash
# Tests the web app: types, logic, then real browsers over the built binary on seeded workspaces. The binary is
# $DUNLIN_BIN, or the debug build with the app in it, which is built when it is not named.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
"$here/scripts/web-build.sh"
cd "$here/web"
npm run check
npm test
if [ -z "${DUNLIN_BIN:-}" ]; then
  # The same features as the Rust tests have, so that nothing is compiled twice.
  (cd "$here" && cargo build --workspace --features dunlin/failpoints --bin dunlin)
  DUNLIN_BIN=${CARGO_TARGET_DIR:-$HOME/.cache/dunlin/target}/debug/dunlin
fi
export DUNLIN_BIN
# A debug build reads the app from here, wherever it was compiled.
export DUNLIN_WEB_DIST=$here/web/dist
"$here/scripts/need-chromium.sh"
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v google-chrome)}
export CHROMIUM
npx playwright test "$@"
