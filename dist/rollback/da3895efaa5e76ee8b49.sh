# shellcheck shell=bash
# The set that the program which took the dump has in its hands, while that lingers with the lock. Sent in front of the
# programs that publish it or put it aside.

# claim BACKUP-DIR STAGING HOLDER: the lock must still be that of the holder, and the program that has it must wait until we are
# done, whatever happens to the runner.
claim() {
  holds_lock "$1/.lock" "$3" || fail lock-lost "The lock on $1 was taken away while the backup was under way"
  exec 7>>"$1/.lock.publish"
  flock --nonblock 7 || fail dump-lost "$2 is being removed"
  [[ -d $2 ]] || fail dump-lost "$2 was removed"
}
