# shellcheck shell=bash
# Read-only: reads every file of some sets in full.

takes backup_dir
# Lists of checksums, to be told as they are. Files to be read; a set may stand in several folders, so each is given with its
# name in the first of them, beside it.
takes_list lists files first_names

readonly longest_list=65536

main() {
  local list at
  cd -- "$backup_dir" || exit
  for list in "${lists[@]}"; do
    [[ ! -r $list ]] || record list "$list"$'\n'"$(head -c "$longest_list" -- "$list")"
  done
  for at in "${!files[@]}"; do read_file "${files[at]}" "${first_names[at]}"; done
}

# read_file FILE FIRST-NAME: what is a link to its first name was read there.
read_file() {
  local sum
  if [[ $1 != "$2" ]]; then
    # The survey already shows what is missing in another folder.
    [[ -e $1 && ! $1 -ef $2 ]] || return 0
  fi
  progress reading "$1"
  if sum=$(sha256sum -- "$1" 2>/dev/null); then
    record sum "${sum%% *} $1"
  else
    record unread "$1"
  fi
}
