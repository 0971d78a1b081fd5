# shellcheck shell=bash
# Where the files of backup sets lie below the backup folder.

# find_sets BACKUP-DIR FOLDER...: every file of these folders, hidden ones too, into the array `found_files`.
find_sets() {
  local backup_dir=$1 folder
  shift
  found_files=()
  shopt -s nullglob dotglob
  for folder; do
    if [[ $folder == predeployment ]]; then
      found_files+=("$backup_dir/$folder"/*/*)
    else
      found_files+=("$backup_dir/$folder"/*)
    fi
  done
  shopt -u nullglob dotglob
}

# sets_state BACKUP-DIR: a hash that is another one where a set has come, gone or changed.
sets_state() {
  local at
  find_sets "$1" daily weekly monthly predeployment
  # In portions: the names of all may be more than a program takes.
  for ((at = 0; at < ${#found_files[@]}; at += 500)); do
    stat --printf '%s %Y %i %n\0' -- "${found_files[@]:at:500}" 2>&1 || true
  done | sha256sum | cut -d ' ' -f 1
}
