# shellcheck shell=bash disable=SC2154 # `lock` and `lock_wait` are the supervisor's
# Stands in line for the lock of a backup folder. Its own lock is the turn: whoever has it is next. Ends when the folder's lock is
# free, and lingers: until the runner has looked at the folder again and taken the lock, nobody else in the line does.

main() {
  local wanted=${lock%.turn} looks=0
  # Without trying it: that would take it away from others for a moment.
  while [[ -n $(lock_owner "$wanted") ]]; do
    ((SECONDS < lock_wait)) || fail lock-held "$(lock_holder "$wanted")"
    ((looks % 60)) || progress waiting-for "$(lock_holder "$wanted")"
    sleep 0.25
    looks=$((looks + 1))
  done
}
