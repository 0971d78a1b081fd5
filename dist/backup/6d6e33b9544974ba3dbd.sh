# shellcheck shell=bash
# Puts a dump that failed its verification aside, with the reason, in place of the last one, and writes the line into the log.
# Short; it is not cut when the runner is gone.

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
