# shellcheck shell=bash
# The lock on a backup folder: `flock` on its `.lock`, with the holder as text in `.lock.holder`. Sent in front of every
# program, and of the engine that performs a rollback.

# lock_owner LOCK: prints the process that took the lock, from the kernel's list; nothing if the lock is free. The process
# may have ended while others still hold the lock (like `flock 9` in a script). Does not try the lock, because that would
# take it away from others for a moment.
lock_owner() {
  local inode kind process file
  [[ -e $1 ]] || return 0
  inode=$(stat --format %i -- "$1")
  while read -r _ kind _ _ process file _; do
    [[ $kind == FLOCK && $file == *":$inode" ]] || continue
    printf '%s' "$process"
    return 0
  done </proc/locks
}

# lock_holder LOCK: prints who holds it, on one line, for the log. Ignores the text left by a run that died: it does not say
# who holds the lock now.
lock_holder() {
  local text='' process='' owner
  owner=$(lock_owner "$1")
  [[ ! -f $1.holder || ! -r $1.holder ]] || { IFS= read -r text && read -r process; } <"$1.holder" || true
  if [[ -n $text && (-z $process || -z $owner || $process == "$owner") ]]; then
    printf '%s' "$text"
  else
    printf 'another process (%s)' "${owner:-unknown}"
  fi
}

# holds_lock LOCK HOLDER: succeeds if this run still holds the lock.
holds_lock() {
  local text=
  [[ -f $1.holder && -r $1.holder ]] && IFS= read -r text <"$1.holder" && [[ $text == "$2" ]]
}

# tell_holder LOCK HOLDER: writes the holder on the first line, and the process from the kernel's list on the second.
tell_holder() { printf '%s\n%s\n' "$2" "$(lock_owner "$1")" >"$1.holder"; }
