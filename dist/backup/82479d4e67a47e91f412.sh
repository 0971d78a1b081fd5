# shellcheck shell=bash
# Sent in front of the programs that publish a dump or put it aside, while the program that took it still holds the lock.

# claim BACKUP-DIR STAGING HOLDER: makes sure that the lock is still the holder's, and that the holder waits until we are done,
# whatever happens to the runner.
claim() {
  holds_lock "$1/.lock" "$3" || fail lock-lost "The lock on $1 was lost while the backup was running"
  exec 7>>"$1/.lock.publish"
  flock --nonblock 7 || fail dump-lost "$2 is being removed"
  [[ -d $2 ]] || fail dump-lost "$2 was removed"
}
