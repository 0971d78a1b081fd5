# shellcheck shell=bash
# The backup folder's identity, by which its copies off the host are told from those of others. Below its own id, the file may have
# those of folders whose copies it has taken over.

# folder_ids BACKUP-DIR: prints the ids, a line each, or nothing if the folder has none. Fails if the file is there, and holds
# anything else.
folder_ids() {
  local file=$1/.folder-id ids one='[0-9a-f]{32}'
  [[ -e $file || -L $file ]] || return 0
  [[ -f $file && ! -L $file ]] || return
  ids=$(head -c 4096 -- "$file" | tr '\0' '?')
  [[ $ids =~ ^$one($'\n'$one)*$ ]] && printf %s "$ids"
}
