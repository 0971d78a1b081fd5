# shellcheck shell=bash
# Holds the lock for copies off the host, and tells the ids of the backup folder. Before the first copy, it makes one.

takes backup_dir

main() {
  local ids
  cd -- "$backup_dir" || exit
  [[ -e .folder-id || -L .folder-id ]] || make_folder_id || fail write-failed "Cannot write $backup_dir/.folder-id"
  # Of a run that was cut off. Whoever is at it just now finds the id made.
  rm -f -- .folder-id.new-*
  ids=$(folder_ids .) || fail folder-id-damaged "$backup_dir/.folder-id holds no id"
  record folder-ids "$ids"
}

# Makes the id whole or not at all, and once: of several runs, the first one's stays.
make_folder_id() {
  local id new
  id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n') || return
  new=$(mktemp .folder-id.new-XXXXXXXX) || return
  if printf '%s\n' "$id" >"$new" && sync -- "$new" && ln -- "$new" .folder-id && sync -- .; then return 0; fi
  [[ -e .folder-id ]]
}
