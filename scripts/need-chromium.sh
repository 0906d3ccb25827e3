#!/usr/bin/env bash
# Makes sure that a Chromium is on this machine for the browser tests: through apt where that can be done unattended,
# else Playwright's own; prints nothing else. Starts nothing.
set -euo pipefail
if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then exit 0; fi
install='apt-get install -y --no-install-recommends chromium'
if command -v apt-get >/dev/null; then
  if [ "$(id -u)" -eq 0 ]; then
    as_root=()
  elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    printf 'The browser tests need Chromium. Type:\n\n    sudo %s\n\n' "$install" >&2
    exit 1
  fi
  echo 'Chromium is missing: installing it through apt'
  "${as_root[@]}" apt-get update -qq </dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install </dev/null >/dev/null
fi
