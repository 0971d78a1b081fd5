# shellcheck shell=bash
# Starts a transaction's engine in a session of its own, which carries on without us. Sent in front of the programs that do so.

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
