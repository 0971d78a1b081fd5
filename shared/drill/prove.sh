# shellcheck shell=bash
# Adds a line to what is proven of a set, in each folder in which it stands, and tells the history of it.
#
# BACKUP-DIR NAME LINE FOLDERS FOLDER... [ID RECORD AUDIT-LINE]...

main() {
  local name=$2 line=$3 count=$4 first folder
  cd -- "$1" || exit
  shift 4
  first=$1/$name.proof.jsonl
  [[ -e $1/$name.manifest.json ]] || fail set-gone "$1/$name is not there any more"
  append_line "$first" "$line" || fail proof-unwritable "$first cannot be written"
  for folder in "${@:2:count-1}"; do
    [[ ! -d $folder || $folder/$name.proof.jsonl -ef $first ]] || ln -f -- "$first" "$folder/"
  done
  shift "$count"
  while (($#)); do
    append_history rollback "$1" "$2" "$3" || fail history-unwritable 'rollback/history.jsonl could not be written'
    shift 3
  done
}
