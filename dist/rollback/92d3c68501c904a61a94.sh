# shellcheck shell=bash
# The history of deployments on the host: `history.jsonl` is authoritative, `deployment_tags.log` is the same for people, and
# HOLD says that deployments should pause. Part of every program that writes them, and of a transaction's engine.

# append_history ROLLBACK-DIR ID RECORD AUDIT-LINE: adds the record once, even if called again. Flushed to disk on return.
append_history() {
  mkdir -p -- "$1" || return
  # shellcheck disable=SC2094 # the descriptor is for the lock alone
  (
    flock --wait 30 6 || exit
    is_recorded "$1/history.jsonl" "$2" || append_line "$1/history.jsonl" "$3" || exit
    grep -qxF -- "$4" "$1/deployment_tags.log" 2>/dev/null || append_line "$1/deployment_tags.log" "$4"
  ) 6>>"$1/history.jsonl"
}

# is_recorded FILE ID: whether a complete line has the record. A cut line may end in a brace too, so look for the last field.
is_recorded() { grep -q -- "\"id\":\"$2\".*\"downtimeMs\":[^\"{}]*}\$" "$1"; }

# append_line FILE LINE: if a power failure cut the last line, ends it first, so that it stays a line of its own.
append_line() {
  local last
  if [[ -s $1 ]]; then
    last=$(tail -c 1 -- "$1" | od -An -tx1) || return
    [[ $last == *0a ]] || printf '\n' >>"$1" || return
  fi
  printf '%s\n' "$2" >>"$1" && sync -- "$1"
}

# put_hold ROLLBACK-DIR TEXT: writes HOLD completely or not at all.
put_hold() {
  mkdir -p -- "$1" || return
  if printf '%s\n' "$2" >"$1/HOLD.new" && sync -- "$1/HOLD.new" && mv -T -- "$1/HOLD.new" "$1/HOLD" && sync -- "$1"; then return 0; fi
  rm -f -- "$1/HOLD.new"
  return 1
}

remove_hold() { rm -f -- "$1/HOLD"; }
