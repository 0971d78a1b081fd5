# shellcheck shell=bash
# Sent in front of the programs that must know whether the sets are still those that were decided on.

# So many names below the backup folder fit into one command, however long they are.
readonly portion=2000

# sets_state BACKUP-DIR: a hash that is another one where a set has come, gone or changed. Files that are not ours do not
# count: one that somebody writes to all the time would make it change for ever.
sets_state() {
  {
    local at files=()
    shopt -s nullglob
    ! cd -- "$1" 2>/dev/null || files=({daily,weekly,monthly}/{backup_*,.partial-*}
      predeployment/{*/backup_*,.partial-*} rollback/{prerollback_*,.partial-*})
    for ((at = 0; at < ${#files[@]}; at += portion)); do
      stat --printf '%s %Y %n\0' -- "${files[@]:at:portion}" 2>&1 || true
    done
  } | sha256sum | cut -d ' ' -f 1
}
