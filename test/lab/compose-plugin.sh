#!/bin/bash
# Takes the compose of another Debian suite out of its package, and leaves this machine's apt alone: Debian 12 has no compose 2,
# and those of later suites run here as they are. `compose-plugin.sh <suite> <folder for apt> <file to make>`.
set -euo pipefail

# shellcheck source=test/lab/debian-suite.sh
source "${BASH_SOURCE[0]%/*}/debian-suite.sh"
plugin=$3

use_suite "$1" "$2"
suite_apt download docker-compose
mkdir -p "$(dirname "$plugin")"
dpkg-deb --fsys-tarfile docker-compose_*.deb | tar -xO ./usr/libexec/docker/cli-plugins/docker-compose >"$plugin.new"
chmod 0755 "$plugin.new"
mv "$plugin.new" "$plugin"
