# Sourced by other scripts: installs a package of Debian where that can be done unattended.
# shellcheck shell=bash

# apt_install WHAT PACKAGE: says so, and installs; without root or sudo it prints the line to type and fails.
apt_install() {
  local what=$1 install="apt-get install -y --no-install-recommends $2" as_root=()
  if ! command -v apt-get >/dev/null; then
    echo "$what is missing, and there is no apt here to install it: install it by hand" >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      printf 'The tests need %s. Type:\n\n    sudo %s\n\n' "$what" "$install" >&2
      return 1
    fi
    as_root=(sudo -n)
  fi
  echo "$what is missing: installing it through apt"
  "${as_root[@]}" apt-get update -qq </dev/null
  # shellcheck disable=SC2086 # words
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install </dev/null >/dev/null
}
