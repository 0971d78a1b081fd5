#!/bin/bash
# Makes a tar of a root file system with this machine's nginx and the libraries that it is linked with: `rootfs.sh <tar>`.
set -euo pipefail

tar=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/{dev,etc,proc,run,sys,tmp,usr/sbin,usr/lib,usr/lib64,var/lib/nginx,var/log/nginx}
for name in lib lib64; do ln -s "usr/$name" "$root/$name"; done
cp -aL /usr/sbin/nginx "$root/usr/sbin/nginx"
ldd /usr/sbin/nginx | sed -nE 's#^\t(.* => )?(/usr)?(/[^ ]+) \(0x.*#/usr\3#p' | sort -u | while read -r library; do
  mkdir -p "$root${library%/*}"
  cp -aL -- "$library" "$root$library"
done
printf '%s\n' root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
printf '%s\n' root:x:0: >"$root/etc/group"

tar -C "$root" --owner=0 --group=0 --numeric-owner -c . >"$tar"
