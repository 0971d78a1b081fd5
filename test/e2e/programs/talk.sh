# shellcheck shell=bash
# Talks in every stream.

main() {
  progress first 1
  progress second 'two words'
  progress third ''
  printf 'a line\n\xff not UTF-8\nGr\xc3' >&2
  sleep 0.2
  printf '\xb6\xc3\x9fe\n' >&2
  head -c 300000 /dev/zero | tr '\0' x >&2
  printf ' end of the long line\n' >&2
  printf 'without an end' >&2
}
