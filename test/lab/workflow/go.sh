#!/bin/bash
# Takes the Go of another Debian suite out of its packages, and leaves this machine's apt alone: that of Debian 12 is too old to
# fetch a newer one. `go.sh <suite> <version> <folder>`; go is then in <folder>/usr/lib/go-<version>/bin.
set -euo pipefail

# shellcheck source=test/lab/debian-suite.sh
source "${BASH_SOURCE[0]%/*}/../debian-suite.sh"
version=$2

use_suite "$1" "$3"
suite_apt download "golang-$version-go" "golang-$version-src"
for package in *.deb; do dpkg-deb --extract "$package" .; done
rm -- *.deb
