#!/usr/bin/env bash
# Builds the web app into web/dist, from where a build of dunlin-server takes it. Needs Node 20.19 or newer.
set -euo pipefail
cd "$(dirname "$0")/../web"
if ! cmp -s package-lock.json node_modules/.lock-of-install 2>/dev/null; then
  npm ci --no-audit --no-fund
  cp package-lock.json node_modules/.lock-of-install
fi
# Types are checked by web-test.sh.
npm run bundle
