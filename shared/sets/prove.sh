# shellcheck shell=bash
# Adds a line to the proof.jsonl of a set, in each folder of the set, and adds records to the history.

takes backup_dir name line
takes_list folders record_ids records audit_lines

main() {
  local first='' folder at
  cd -- "$backup_dir" || exit
  for folder in "${folders[@]}"; do
    # Retention may have taken the set from there meanwhile.
    [[ -e $folder/$name.manifest.json ]] || continue
    if [[ -z $first ]]; then
      first=$folder/$name.proof.jsonl
      append_line "$first" "$line" || fail proof-unwritable "Cannot write $first"
    elif [[ ! $folder/$name.proof.jsonl -ef $first ]]; then
      ln -f -- "$first" "$folder/"
    fi
  done
  [[ -n $first ]] || fail set-gone "${folders[0]}/$name no longer exists"
  for at in "${!record_ids[@]}"; do
    append_history rollback "${record_ids[at]}" "${records[at]}" "${audit_lines[at]}" ||
      fail history-unwritable 'Cannot write rollback/history.jsonl'
  done
}
