# shellcheck shell=bash
# Adds records to the history on the host. Short, so it finishes even if the runner is gone.
#
# append BACKUP-DIR ID RECORD AUDIT-LINE...
# release-hold BACKUP-DIR ID RECORD AUDIT-LINE...: removes HOLD first

main() {
  local verb=$1 folder=$2/rollback
  shift 2
  [[ $verb != release-hold ]] || remove_hold "$folder" || fail history-unwritable "Cannot remove $folder/HOLD"
  while (($#)); do
    append_history "$folder" "$1" "$2" "$3" || fail history-unwritable "Cannot write $folder/history.jsonl"
    shift 3
  done
}
