# shellcheck shell=bash
# Adds records to the history on the host, and removes HOLD first if asked to. Short, so it finishes even if the runner is
# gone.

takes backup_dir release_hold
takes_list record_ids records audit_lines

main() {
  local folder=$backup_dir/rollback at
  [[ -z $release_hold ]] || remove_hold "$folder" || fail history-unwritable "Cannot remove $folder/HOLD"
  for at in "${!record_ids[@]}"; do
    append_history "$folder" "${record_ids[at]}" "${records[at]}" "${audit_lines[at]}" ||
      fail history-unwritable "Cannot write $folder/history.jsonl"
  done
}
