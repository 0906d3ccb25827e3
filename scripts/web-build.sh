#!/usr/bin/env bash
# Builds the web app into web/dist, from where a build of dunlin-server takes it. Needs Node 20.19 or newer.
set -euo pipefail
cd "$(dirname "$0")/../web"
if ! cmp -s package-lock.json node_modules/.lock-of-install 2>/dev/null; then
  npm ci --no-audit --no-fund
  cp package-lock.json node_modules/.lock-of-install
fi
# What the app is made of; the types come from the server's API.
made_of=(src index.html package.json package-lock.json vite.config.ts tsconfig.json scripts ../crates/dunlin-server/openapi.json)
built=node_modules/.built
# The same files again would only make Cargo embed them again.
if [ -f dist/index.html ] && [ -f "$built" ] && [ -z "$(find "${made_of[@]}" ! -name schema.d.ts -newer "$built" -print -quit)" ]; then
  echo 'The web app is built already'
  exit 0
fi
rm -f "$built"
begun=$(mktemp -p node_modules .begun-XXXXXX)
# Types are checked by web-test.sh.
npm run bundle
mv "$begun" "$built"
