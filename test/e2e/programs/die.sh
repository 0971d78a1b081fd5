# shellcheck shell=bash
# Ends as it is told to.

takes_list words

main() { "${words[@]}"; }

named() { fail "$1" "$2"; }

unnamed() {
  echo 'what went wrong' >&2
  record before 'the end'
  return 7
}

# The supervisor cannot tell of its own death. Its watcher ends what it leaves behind, so that one has to be there by then.
without_end() {
  record before 'the end'
  sleep 1
  kill -KILL "$$"
  sleep 1007
}

# shellcheck disable=SC2154 # the supervisor's
forged() {
  printf 'done %s\n' "${nonce//[0-9a-f]/0}"
  printf 'done %s' "$nonce"
  sleep 1
  kill -KILL "$$"
}

too_much() { yes | head -c 70000000; }
