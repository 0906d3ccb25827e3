# Sourced by the benchmarks in a browser: the program with the app in it, the browser, and what drives it.
if [ -z "${DUNLIN_BIN:-}" ]; then
  scripts/web-build.sh >&2
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/dunlin/target}
  cargo build --profile "${PROFILE:-demo}" --bin dunlin >&2
  DUNLIN_BIN=$CARGO_TARGET_DIR/${PROFILE:-demo}/dunlin
fi
scripts/need-chromium.sh >&2
[ -d web/node_modules ] || (cd web && npm ci --no-audit --no-fund >&2)
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v google-chrome)}
export DUNLIN_BIN CHROMIUM
