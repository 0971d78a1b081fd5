#!/bin/bash
# Makes a tar of a root file system with this machine's PostgreSQL and the tools that the official Debian image has, for
# an engine that cannot pull: `rootfs.sh <major version> <tar>`. Files and links only, so nobody has to be root for it.
set -euo pipefail

major=$1 tar=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

programs=/usr/lib/postgresql/$major/bin
libraries=/usr/lib/postgresql/$major/lib
tools=(bash coreutils dash diffutils findutils grep gzip hostname mawk sed tar util-linux zstd)

mkdir -p "$root"/{dev,docker-entrypoint-initdb.d,etc,proc,root,run,sys,tmp,usr/bin,usr/sbin,usr/lib,usr/lib64,var/lib/postgresql}
for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
chmod 1777 "$root/tmp"

# Each to the place it has here, but behind the link where it is one.
copy() {
  local path
  for path in "$@"; do
    mkdir -p "$root${path%/*}"
    cp -aL -- "$path" "$root$path"
  done
}

# Programs of the base system. /bin is a link to /usr/bin here as there, whichever of the two a package names.
dpkg -L "${tools[@]}" | grep -E '^(/usr)?/s?bin/[^/]+$' | sed 's#^/usr##' | sort -u | while read -r program; do
  copy "/usr$program"
done
ln -sf dash "$root/usr/bin/sh"
ln -sf mawk "$root/usr/bin/awk"

# PostgreSQL, without the just-in-time compiler: it alone would weigh more than all the rest.
mkdir -p "$root$programs" "$root$libraries"
cp -a "$programs"/. "$root$programs"
find "$libraries" -maxdepth 1 -name '*.so' ! -name 'llvmjit*' -exec cp -a -t "$root$libraries" {} +
# What stdbuf loads into the programs that it starts.
copy /usr/libexec/coreutils

copy "/usr/share/postgresql/$major" /usr/share/zoneinfo /usr/lib/locale/C.utf8

# The libraries that all of these are linked with. ldd ends with 1 where one of its files is a script.
{ find "$root/usr" -type f \( -perm -u+x -o -name '*.so' \) -exec ldd {} + 2>/dev/null || true; } |
  sed -nE 's#^\t(.* => )?(/usr)?(/[^ ]+) \(0x.*#/usr\3#p' | sort -u | while read -r library; do
  [[ -e $root$library ]] || copy "$library"
done

printf '%s\n' root:x:0:0:root:/root:/bin/bash postgres:x:999:999::/var/lib/postgresql:/bin/bash >"$root/etc/passwd"
printf '%s\n' root:x:0: postgres:x:999: >"$root/etc/group"
printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$root/etc/nsswitch.conf"

tar -C "$root" --owner=0 --group=0 --numeric-owner -c . >"$tar"
