# shellcheck shell=bash
# Read-only: sends one manifest in full. It may be long, so it is packed.

takes file longest # bytes

main() {
  [[ -f $file && ! -L $file && -r $file ]] || fail manifest-unreadable "$file is no file that can be read"
  record manifest "$(head -c "$longest" -- "$file" | gzip -n -1 | base64 --wrap=0)"
}
