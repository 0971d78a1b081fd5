# shellcheck shell=bash
# Adds a line to the proof.jsonl of a set, in each folder of the set, and adds records to the history.

takes backup_dir name line
takes_list folders record_ids records audit_lines

main() {
  local first=${folders[0]}/$name.proof.jsonl folder at
  cd -- "$backup_dir" || exit
  [[ -e ${folders[0]}/$name.manifest.json ]] || fail set-gone "${folders[0]}/$name no longer exists"
  append_line "$first" "$line" || fail proof-unwritable "Cannot write $first"
  for folder in "${folders[@]:1}"; do
    # Retention may have taken the set from there meanwhile.
    [[ ! -e $folder/$name.manifest.json || $folder/$name.proof.jsonl -ef $first ]] || ln -f -- "$first" "$folder/"
  done
  for at in "${!record_ids[@]}"; do
    append_history rollback "${record_ids[at]}" "${records[at]}" "${audit_lines[at]}" ||
      fail history-unwritable 'Cannot write rollback/history.jsonl'
  done
}
