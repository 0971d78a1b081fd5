# shellcheck shell=bash
# Moves a dump that failed its verification into the folder `failed`, with the reason, and writes the line into the log. It
# replaces the one there. Short; it goes on even if the runner is gone.

takes backup_dir id home taken_by log_file log_line dump reason

main() {
  local staging=$backup_dir/$home/.partial-$id failed=$backup_dir/failed
  claim "$backup_dir" "$staging" "$taken_by"
  printf '%s\n' "$reason" >"$staging/reason"
  rm -f -- "$failed"/failed_[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]_[0-9][0-9][0-9][0-9][0-9][0-9].*
  mv -T -- "$staging/$dump" "$failed/failed_$id.${dump#*.}"
  mv -T -- "$staging/reason" "$failed/failed_$id.reason.txt"
  rm -rf -- "$staging"
  record rejected "$failed/failed_$id.${dump#*.}"
  tell_log "$log_file" "$log_line"
}
