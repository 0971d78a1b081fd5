# shellcheck shell=bash
# Starts a transaction's engine in a session of its own, which carries on without us. Sent in front of the programs that do so.

# may_launch FOLDER: if a gate stands in front of us (host/gate.sh), it names its lists of what may run. Then an engine of a release
# that is on none of them is not started: whoever has the key could have written it.
may_launch() {
  local hash list
  [[ -n ${ATLASIA_GATE-} ]] || return 0
  read -r hash _ < <(sha256sum -- "$1/engine.sh")
  while IFS= read -r list; do
    ! grep -q -- "^$hash engine " "$list" || return 0
  done <<<"$ATLASIA_GATE"
  return 1
}

# launch FOLDER
launch() {
  local line session
  setsid "$BASH" "$1/engine.sh" </dev/null >>"$1/log" 2>&1 &
  # Wait until it has a session of its own: until then it would be killed together with us.
  while { IFS= read -r line <"/proc/$!/stat"; } 2>/dev/null; do
    read -r _ _ _ session _ <<<"${line##*) }"
    [[ $session != "$!" ]] || break
    sleep 0.01
  done
}
