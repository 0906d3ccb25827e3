#!/usr/bin/env bash
# Makes sure that a Chromium is on this machine for the browser tests: through apt where that can be done unattended,
# otherwise says the line to type. Starts nothing.
set -euo pipefail
source "$(cd "$(dirname "$0")" && pwd)/apt.sh"

if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then exit 0; fi
apt_install Chromium chromium
