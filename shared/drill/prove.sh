# shellcheck shell=bash
# Adds a line to the proof.jsonl of a set, in each folder of the set, and adds records to the history.
#
# BACKUP-DIR NAME LINE FOLDERS FOLDER... [ID RECORD AUDIT-LINE]...

main() {
  local name=$2 line=$3 count=$4 first folder
  cd -- "$1" || exit
  shift 4
  first=$1/$name.proof.jsonl
  [[ -e $1/$name.manifest.json ]] || fail set-gone "$1/$name no longer exists"
  append_line "$first" "$line" || fail proof-unwritable "Cannot write $first"
  for folder in "${@:2:count-1}"; do
    [[ ! -d $folder || $folder/$name.proof.jsonl -ef $first ]] || ln -f -- "$first" "$folder/"
  done
  shift "$count"
  while (($#)); do
    append_history rollback "$1" "$2" "$3" || fail history-unwritable 'Cannot write rollback/history.jsonl'
    shift 3
  done
}
