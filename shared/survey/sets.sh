# shellcheck shell=bash disable=SC2154 # `layout` is a parameter of the programs that this is sent in front of
# The layout of the backup folder, as the runner defines it: `layout` has one line for each folder, FOLDER PREFIX PLACE. PREFIX
# starts the names of its sets. PLACE is `flat`; `nested` if each set has a folder of its own; `aside` if it is not a tier.

# This many file names fit into one command, however long they are.
readonly portion=2000

# prefix_in FOLDER: prints the prefix of its sets.
prefix_in() {
  local line folder prefix
  for line in "${layout[@]}"; do
    read -r folder prefix _ <<<"$line"
    [[ $folder != "${1##*/}" ]] || printf '%s' "$prefix"
  done
}

# is_nested FOLDER: succeeds if each of its sets has a folder of its own.
is_nested() {
  local line
  for line in "${layout[@]}"; do [[ $line != "${1##*/} "*" nested" ]] || return 0; done
  return 1
}

# folders_at PLACE...: prints the folders with these places, one per line.
folders_at() {
  local line folder place wanted=" $* "
  for line in "${layout[@]}"; do
    read -r folder _ place <<<"$line"
    [[ $wanted != *" $place "* ]] || printf '%s\n' "$folder"
  done
}

# sets_state BACKUP-DIR: prints a hash that changes whenever a set is added, removed or changed. Ignores foreign files: one
# that is written to all the time would keep changing it.
sets_state() {
  {
    local line folder prefix place at files=()
    shopt -s nullglob
    ! cd -- "$1" 2>/dev/null || for line in "${layout[@]}"; do
      read -r folder prefix place <<<"$line"
      case $place in
        flat) files+=("$folder/${prefix}_"* "$folder"/.partial-*) ;;
        nested) files+=("$folder"/*/"${prefix}_"* "$folder"/.partial-*) ;;
      esac
    done
    for ((at = 0; at < ${#files[@]}; at += portion)); do
      stat --printf '%s %Y %n\0' -- "${files[@]:at:portion}" 2>&1 || true
    done
  } | sha256sum | cut -d ' ' -f 1
}
