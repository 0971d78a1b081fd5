# shellcheck shell=bash
# The history of deployments on the host: `history.jsonl` is the truth, `deployment_tags.log` the same for people, and HOLD
# says that deployments should pause. Sent in front of the programs that write them, and part of a transaction's engine.

# append_history ROLLBACK-DIR ID RECORD AUDIT-LINE: on the disk when it returns; once, however often it is called.
append_history() {
  mkdir -p -- "$1" || return
  # shellcheck disable=SC2094 # the descriptor is for the lock alone
  (
    flock --wait 30 6 || exit
    is_recorded "$1/history.jsonl" "$2" || append_line "$1/history.jsonl" "$3" || exit
    grep -qxF -- "$4" "$1/deployment_tags.log" 2>/dev/null || append_line "$1/deployment_tags.log" "$4"
  ) 6>>"$1/history.jsonl"
}

# is_recorded FILE ID: in a line that is whole, up to its last field; it may have been cut at any brace.
is_recorded() { grep -q -- "\"id\":\"$2\".*\"downtimeMs\":[^\"{}]*}\$" "$1"; }

# append_line FILE LINE: a last line that a power cut left without its end stays a line of its own.
append_line() {
  local last
  if [[ -s $1 ]]; then
    last=$(tail -c 1 -- "$1" | od -An -tx1) || return
    [[ $last == *0a ]] || printf '\n' >>"$1" || return
  fi
  printf '%s\n' "$2" >>"$1" && sync -- "$1"
}

# put_hold ROLLBACK-DIR TEXT: as a whole, or not at all.
put_hold() {
  mkdir -p -- "$1" || return
  if printf '%s\n' "$2" >"$1/HOLD.new" && sync -- "$1/HOLD.new" && mv -T -- "$1/HOLD.new" "$1/HOLD"; then return 0; fi
  rm -f -- "$1/HOLD.new"
  return 1
}

remove_hold() { rm -f -- "$1/HOLD"; }
