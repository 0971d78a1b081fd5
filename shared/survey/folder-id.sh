# shellcheck shell=bash
# The backup folder's identity, by which its copies off the host are told from those of others.

# folder_id BACKUP-DIR: prints the id, or nothing if the folder has none. Fails if the file is there, and does not hold one.
folder_id() {
  local file=$1/.folder-id id
  [[ -e $file || -L $file ]] || return 0
  [[ -f $file && ! -L $file && -r $file ]] || return
  id=$(head -c 64 -- "$file" | tr '\0' '?')
  [[ $id =~ ^[0-9a-f]{32}$ ]] && printf %s "$id"
}
