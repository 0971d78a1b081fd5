# shellcheck shell=bash
# Read-only: one manifest in full, packed, as it may be long.
#
# FILE LONGEST (bytes)

main() {
  [[ -f $1 && ! -L $1 && -r $1 ]] || fail manifest-unreadable "$1 is no file that can be read"
  record manifest "$(head -c "$2" -- "$1" | gzip -n -1 | base64 --wrap=0)"
}
