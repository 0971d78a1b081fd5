#!/bin/bash
# Installs Debian packages without letting them start their services: the lab wants sshd, dockerd and PostgreSQL as
# programs, and this machine did not ask for daemons.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d

if [[ ! -e $policy ]]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 0755 "$policy"
fi

get() {
  apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# The lists of a fresh image are empty or old; the first try spares the update where they are neither.
get install "$@" || { get update && get install "$@"; }
