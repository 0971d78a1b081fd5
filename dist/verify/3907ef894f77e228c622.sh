# shellcheck shell=bash
# Adds a line to what is proven of a set, in each folder in which it stands.
#
# BACKUP-DIR NAME LINE FOLDER...

main() {
  local name=$2 line=$3 first folder
  cd -- "$1" || exit
  shift 3
  first=$1/$name.proof.jsonl
  [[ -e $1/$name.manifest.json ]] || fail set-gone "$1/$name is not there any more"
  # A line that a power cut has left open stays a line of its own.
  [[ ! -s $first || -z $(tail -c 1 -- "$first") ]] || printf '\n' >>"$first"
  printf '%s\n' "$line" >>"$first" || fail proof-unwritable "$first cannot be written"
  sync -- "$first"
  for folder in "${@:2}"; do
    [[ ! -d $folder || $folder/$name.proof.jsonl -ef $first ]] || ln -f -- "$first" "$folder/"
  done
}
