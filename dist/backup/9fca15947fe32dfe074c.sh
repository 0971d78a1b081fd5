# shellcheck shell=bash
# Who holds the lock on a backup folder: `flock` on its `.lock`, with the holder as text in `.lock.holder`. Sent in front of
# every program, and of the engine that carries a rollback.

# lock_owner LOCK: the process that took the lock, as the kernel lists it, also when that has ended (`flock 9` of a script
# has) and others keep the lock; nothing where it is free. The lock is not tried: that would take it away from somebody
# else for a moment.
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

# lock_holder LOCK: who holds it, on one line, since it goes into a line of the log. The text of a run that died says
# nothing of who has the lock now.
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

# holds_lock LOCK HOLDER: whether the lock is still that of this run.
holds_lock() {
  local text=
  [[ -f $1.holder && -r $1.holder ]] && IFS= read -r text <"$1.holder" && [[ $text == "$2" ]]
}

# tell_holder LOCK HOLDER: on the first line who took the lock, on the second the process as the kernel lists it.
tell_holder() { printf '%s\n%s\n' "$2" "$(lock_owner "$1")" >"$1.holder"; }
