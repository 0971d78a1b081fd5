# shellcheck shell=bash
# Adds records to the history on the host, and lets deployments go on first if that is asked. Short; it is not cut when the
# runner is gone.

takes backup_dir release_hold
takes_list record_ids records audit_lines

main() {
  local folder=$backup_dir/rollback at
  [[ -z $release_hold ]] || remove_hold "$folder" || fail history-unwritable "$folder/HOLD could not be removed"
  for at in "${!record_ids[@]}"; do
    append_history "$folder" "${record_ids[at]}" "${records[at]}" "${audit_lines[at]}" ||
      fail history-unwritable "$folder/history.jsonl could not be written"
  done
}
