# shellcheck shell=bash
# Adds records to the history on the host. Short; it is not cut when the runner is gone.
#
# append BACKUP-DIR ID RECORD AUDIT-LINE...
# release-hold BACKUP-DIR ID RECORD AUDIT-LINE...: takes HOLD away first

main() {
  local verb=$1 folder=$2/rollback
  shift 2
  [[ $verb != release-hold ]] || remove_hold "$folder" || fail history-unwritable "$folder/HOLD could not be removed"
  while (($#)); do
    append_history "$folder" "$1" "$2" "$3" || fail history-unwritable "$folder/history.jsonl could not be written"
    shift 3
  done
}
