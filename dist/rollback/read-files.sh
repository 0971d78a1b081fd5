# shellcheck shell=bash
# Read-only: sends files of one set to the runner.

takes backup_dir
# Folders that hold the set, of which any will do: retention may remove it from one of them meanwhile.
takes_list folders names

main() {
  local folder name file opened=()
  cd -- "$backup_dir" || exit
  for folder in "${folders[@]}"; do
    open_all "$folder" && break
  done
  ((${#opened[@]} == ${#names[@]})) || fail set-gone "${folders[0]}/${names[0]} no longer exists, or cannot be read"
  # What is open now can be read to its end, even if it is deleted.
  for name in "${names[@]}"; do
    file=${opened[0]}
    opened=("${opened[@]:1}")
    send_file "$file" "$(stat --dereference --format %s "/proc/self/fd/$file")" "$name"
  done
}

# open_all FOLDER: opens every file of the set there, in `opened`. Fails if one is missing.
open_all() {
  local name descriptor
  opened=()
  for name in "${names[@]}"; do
    { exec {descriptor}<"$1/$name"; } 2>/dev/null || return
    opened+=("$descriptor")
  done
}
