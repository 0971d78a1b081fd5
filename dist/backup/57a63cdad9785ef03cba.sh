# shellcheck shell=bash
# Read-only: sends one manifest in full. It may be long, so it is packed.

takes file
takes_number longest # bytes

main() {
  [[ -f $file && ! -L $file && -r $file ]] || fail manifest-unreadable "$file is not a readable file"
  record manifest "$(head -c "$longest" -- "$file" | gzip -n -1 | base64 --wrap=0)"
}
