#!/bin/bash
# Makes a tar of a root file system with the PostgreSQL and the pg_cron of another Debian suite, and all that they need:
# `rootfs.sh <suite> <major version> <folder for apt> <tar>`. The packages are unpacked and not installed.
set -euo pipefail

suite=$1 major=$2 folder=$3 tar=$4
# shellcheck source=test/lab/debian-suite.sh
source "${BASH_SOURCE[0]%/*}/../../debian-suite.sh"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

use_suite "$suite" "$folder"
suite_apt -y --download-only install "postgresql-$major" "postgresql-$major-cron" base-files bash coreutils dash findutils grep gzip hostname \
  libc-bin mawk sed tar util-linux zstd

# Without the just-in-time compiler, which would weigh more than all the rest, and what nobody reads.
unused=(./usr/share/{doc,man,info,lintian,bug}/'*' './usr/lib/llvm-*' '*/libLLVM*' '*/bitcode/*' '*/llvmjit*' '*/libz3.so*')
# base-files makes the links /bin, /lib and so on, which the others go through.
for package in cache/archives/base-files_*.deb cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" |
    tar -C "$root" --keep-directory-symlink --no-same-owner "${unused[@]/#/--exclude=}" -xf -
done
# Where a shell script of the package would have chosen.
ln -sf dash "$root/usr/bin/sh"
ln -sf mawk "$root/usr/bin/awk"
mkdir -p "$root"/{dev,docker-entrypoint-initdb.d,proc,run,sys,tmp,var/lib/postgresql}
chmod 1777 "$root/tmp"

printf '%s\n' root:x:0:0:root:/root:/bin/bash postgres:x:999:999::/var/lib/postgresql:/bin/bash >"$root/etc/passwd"
printf '%s\n' root:x:0: postgres:x:999: >"$root/etc/group"
printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$root/etc/nsswitch.conf"

tar -C "$root" --owner=0 --group=0 --numeric-owner -c . >"$tar"
