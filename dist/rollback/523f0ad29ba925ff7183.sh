# shellcheck shell=bash disable=SC2154 # `layout` is a parameter of the programs that this is sent in front of
# The folders of the backup folder, as the runner lays them out: `layout` has a line for each, FOLDER PREFIX PLACE. PREFIX is
# what the names of its sets begin with. PLACE is `flat`, or `nested` where each set has a folder of its own, or `aside` for
# what is no tier.

# So many names below the backup folder fit into one command, however long they are.
readonly portion=2000

# prefix_in FOLDER: what the names of its sets begin with.
prefix_in() {
  local folder prefix
  while read -r folder prefix _; do
    [[ $folder != "${1##*/}" ]] || printf '%s' "$prefix"
  done < <(printf '%s\n' "${layout[@]}")
}

# folders_at PLACE...: the folders with these places, a line each.
folders_at() {
  local folder place wanted=" $* "
  while read -r folder _ place; do
    [[ $wanted != *" $place "* ]] || printf '%s\n' "$folder"
  done < <(printf '%s\n' "${layout[@]}")
}

# sets_state BACKUP-DIR: a hash that is another one where a set has come, gone or changed. Files that are not ours do not
# count: one that somebody writes to all the time would make it change for ever.
sets_state() {
  {
    local folder prefix place at files=()
    shopt -s nullglob
    ! cd -- "$1" 2>/dev/null || while read -r folder prefix place; do
      case $place in
        flat) files+=("$folder/${prefix}_"* "$folder"/.partial-*) ;;
        nested) files+=("$folder"/*/"${prefix}_"* "$folder"/.partial-*) ;;
      esac
    done < <(printf '%s\n' "${layout[@]}")
    for ((at = 0; at < ${#files[@]}; at += portion)); do
      stat --printf '%s %Y %n\0' -- "${files[@]:at:portion}" 2>&1 || true
    done
  } | sha256sum | cut -d ' ' -f 1
}
