# shellcheck shell=bash
# Read-only: reads every file of some sets in full.
#
# BACKUP-DIR SETS, then for each set: FOLDER SHA256-LIST MD5-LIST FILES NAME...

readonly longest_list=65536

main() {
  local backup_dir=$1 sets=$2 folder list count
  shift 2
  while ((sets-- > 0)); do
    folder=$1
    progress reading "$folder/$5"
    for list in "$2" "$3"; do
      [[ ! -r $backup_dir/$folder/$list ]] ||
        record list "$folder/$list"$'\n'"$(head -c "$longest_list" -- "$backup_dir/$folder/$list")"
    done
    count=$4
    shift 4
    while ((count-- > 0)); do
      read_file "$backup_dir" "$folder/$1"
      shift
    done
  done
}

# read_file BACKUP-DIR PATH: what it cannot read is told of as that.
read_file() {
  local sum
  if sum=$(sha256sum -- "$1/$2" 2>/dev/null); then
    record sum "${sum%% *} $2"
  else
    record unread "$2"
  fi
}
