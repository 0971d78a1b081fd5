# shellcheck shell=bash
# Read-only: sends one manifest in full. It may be long, so it is packed.
#
# FILE LONGEST (bytes)

main() {
  [[ -f $1 && ! -L $1 && -r $1 ]] || fail manifest-unreadable "$1 is not a readable file"
  record manifest "$(head -c "$2" -- "$1" | gzip -n -1 | base64 --wrap=0)"
}
