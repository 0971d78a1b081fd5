# shellcheck shell=bash
# Sent in front of the programs that must know whether the sets are still those that were decided on.

# sets_state BACKUP-DIR: a hash that is another one where a set has come, gone or changed. Files that are not ours do not
# count: one that somebody writes to all the time would make it change for ever.
sets_state() {
  local at
  shopt -s nullglob
  local files=("$1"/{daily,weekly,monthly}/{backup_*,.partial-*} "$1"/predeployment/{*/backup_*,.partial-*}
    "$1"/rollback/{prerollback_*,.partial-*})
  shopt -u nullglob
  # In portions: the names of all may be more than a program takes.
  for ((at = 0; at < ${#files[@]}; at += 500)); do
    stat --printf '%s %Y %n\0' -- "${files[@]:at:500}" 2>&1 || true
  done | sha256sum | cut -d ' ' -f 1
}
