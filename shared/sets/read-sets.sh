# shellcheck shell=bash
# Read-only: reads every file of some sets in full.
#
# BACKUP-DIR SETS, then for each set: FOLDERS FOLDER... SHA256-LIST MD5-LIST FILES NAME...

readonly longest_list=65536

main() {
  local sets=$2 folders first name list
  cd -- "$1" || exit
  shift 2
  while ((sets-- > 0)); do
    folders=("${@:2:$1}")
    first=$2
    shift "$((1 + $1))"
    for list in "$1" "$2"; do
      [[ ! -r $first/$list ]] || record list "$first/$list"$'\n'"$(head -c "$longest_list" -- "$first/$list")"
    done
    progress reading "$first/$4"
    for name in "${@:4:$3}"; do read_file "$name" "${folders[@]}"; done
    shift "$((3 + $3))"
  done
}

# read_file NAME FOLDER...: reads it in the first folder, and in each other one in which it is not a hard link to that.
# Records a file that cannot be read as `unread`.
read_file() {
  local name=$1 first=$2 folder sum
  shift
  for folder in "$@"; do
    [[ $folder == "$first" || ! $folder/$name -ef $first/$name ]] || continue
    # The survey already shows what is missing in another folder.
    [[ $folder == "$first" || -e $folder/$name ]] || continue
    if sum=$(sha256sum -- "$folder/$name" 2>/dev/null); then
      record sum "${sum%% *} $folder/$name"
    else
      record unread "$folder/$name"
    fi
  done
}
