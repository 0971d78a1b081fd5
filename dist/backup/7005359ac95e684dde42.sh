# shellcheck shell=bash
# Sent in front of every program. Starts the program's `main` in a process group of its own, listens to the runner's
# heartbeats meanwhile, and ends the group when the runner falls silent or hangs up, or when the deadline is over. Says every
# 10 s that it is alive, so that the runner does not have to wait for a host that hangs.
#
# stdout: `begin NONCE`, then records (key NUL value NUL), then `done NONCE` or `failed NONCE`. Nothing else counts. Between
# records, a file may come: `file NONCE BYTES NAME` and a line break, and as many bytes.
# stderr: the log; lines that begin with the nonce are the supervisor's own.
#
# A program defines `main`. It may define `ended` to clean up whatever happened: called once, after `main`, and for a
# program that lingers, after the runner has let go of it.

set -euo pipefail
umask 077
export LC_ALL=C

takes nonce at_end lock holder
takes_number silence deadline lock_wait

# record KEY VALUE: adds one fact to the result. A program with `finish` goes on even if nobody reads it any more.
record() { printf '%s\0%s\0' "$1" "$2" 2>/dev/null || [[ $at_end == finish ]]; }

# send_file FILE-DESCRIPTOR BYTES NAME: sends the bytes of an open file between the records. The runner reads as fast as it can use them.
send_file() {
  printf 'file %s %s %s\n' "$nonce" "$2" "$3"
  head -c "$2" <&"$1"
}

# fail CODE DETAIL: ends the program with a named failure. Call it only in the program's own shell, never in a pipeline.
fail() {
  record failure "$1"
  record detail "$2"
  exit 1
}

# progress NAME VALUE: tells the runner how far a long step is.
progress() { printf '%s progress %s %s\n' "$nonce" "$1" "$2" >&2 || [[ $at_end == finish ]]; }

# Says that this host is alive, until its stdin ends, as it does when the supervisor is over. A process of its own, because it
# waits wherever nobody reads the log.
pulse() {
  local status
  while :; do
    status=0
    IFS= read -r -t 10 || status=$?
    ((status > 128)) || return 0
    printf '%s alive\n' "$nonce" >&2 || return 0
  done
}

# Takes the lock in the program's shell. The supervisor has the same file open, so the lock lasts as long as the
# supervisor. The program's children must not have it open, or one that is left behind would hold the lock. The kernel keeps
# those who wait in the order in which they came, and forgets those who die.
take_lock() {
  local telling
  if ! flock --nonblock 9; then
    ((lock_wait)) || fail lock-held "$(who_is_ahead)"
    tell_waiting 9>&- &
    telling=$!
    flock --wait "$lock_wait" 9 || fail lock-held "$(who_is_ahead)"
    kill "$telling"
  fi
  # A lock file that was deleted meanwhile guards nothing: another process may hold the lock on its successor.
  [[ /proc/self/fd/9 -ef $lock ]] || fail lock-lost "$lock was replaced while we were waiting for it"
  tell_holder "$lock" "$holder"
  exec 9>&-
}

tell_waiting() {
  # Whoever kills this leaves no `sleep` behind: it reads from a pipe of its own, into which nobody writes. If it was just looking
  # who is ahead, nobody is left to be told, which is no error.
  while progress waiting-for "$(who_is_ahead 2>/dev/null)"; do read -r -t 15 <> <(:) || true; done
}

# who_is_ahead: who has the lock. Of those who stand in line for one, who has that one says more than who is next.
who_is_ahead() {
  local wanted=${lock%.turn}
  [[ -n $(lock_owner "$wanted") ]] || wanted=$lock
  lock_holder "$wanted"
}

# Reads heartbeats on stdin until the program must end; returns the reason in `end_reason`.
listen() {
  local left patience status
  while :; do
    left=$((deadline - SECONDS))
    ((left > 0)) || { end_reason=deadline && return 0; }
    patience=$((left < silence ? left : silence))
    status=0
    IFS= read -r -N 1 -t "$patience" _ || status=$?
    ((status)) || continue
    if ((status > 128)); then
      ((SECONDS < deadline)) || { end_reason=deadline && return 0; }
      end_reason=silence
    else
      end_reason=end-of-input
    fi
    [[ $at_end == finish ]] || return 0
    sleep "$((deadline - SECONDS))"
  done
}

# Sends TERM to the group, and KILL after 3 s. Docker's client does not pass these on, so `ended` must handle containers.
end_group() {
  local patience=$((SECONDS + 3))
  kill -TERM -- "-$1" 2>/dev/null || return 0
  while group_lives "$1" && ((SECONDS < patience)); do sleep 0.1; done
  kill -KILL -- "-$1" 2>/dev/null || true
}

# Succeeds if a process of the group lives. Zombies do not count, although they still accept signals.
group_lives() {
  local file line state group
  for file in /proc/[0-9]*/stat; do
    { IFS= read -r line <"$file"; } 2>/dev/null || continue
    read -r state _ group _ <<<"${line##*) }"
    [[ $group != "$1" || $state == [ZX] ]] || return 0
  done
  return 1
}

# A stream may stand still for as long as its reader takes: only `main` can tell that from a runner that is gone.
await_deadline() { while ((SECONDS < deadline)) && kill -0 "$$" 2>/dev/null; do sleep 1; done; }

watch() {
  exec {alive}>&-
  trap '' PIPE HUP
  local end_reason=deadline
  if [[ -n $stream_taken ]]; then await_deadline; else listen; fi
  # Where nobody reads the log, this would wait for ever, and the group go on.
  timeout 3 printf '%s ended %s\n' "$nonce" "$end_reason" >&2 || true
  end_group "$worker"
}

work() {
  [[ -z $stream_taken ]] || exec <&8
  exec 8<&- {alive}>&-
  # When the runner is gone, a failed write must not end the program.
  [[ $at_end != finish ]] || trap '' PIPE
  [[ -z $lock ]] || take_lock
  main
}

# Creates the folder of the lock if necessary: the lock is the first thing that a run writes. To open a pipe would block while nobody
# watches the deadline yet, and a link leads elsewhere.
open_lock() {
  local file
  for file in "$lock" "$lock.holder"; do
    [[ ! -L $file && (! -e $file || -f $file) ]] ||
      refuse lock-unusable "$file is a $(stat --format %F -- "$file" 2>/dev/null), not a file"
  done
  { mkdir -p -- "${lock%/*}" && exec 9>>"$lock"; } 2>/dev/null || refuse lock-unusable "$lock cannot be written"
}

# refuse CODE DETAIL: ends with a named failure before the program has begun.
refuse() {
  record failure "$1"
  record detail "$2"
  printf 'failed %s\n' "$nonce"
  exit 1
}

supervise() {
  local misfit=
  read_parameters || true
  printf 'begin %s\n' "$nonce"
  [[ -z $misfit ]] || refuse misfit "$misfit"
  exec 8<&0 </dev/null {alive}> >(pulse 8<&- >/dev/null)
  [[ -z $lock ]] || open_lock

  set -m # each of the two gets a process group of its own
  work &
  worker=$!
  trap '' PIPE HUP TERM INT
  watch <&8 >/dev/null &
  watcher=$!
  disown "$watcher" # bash would report its end in the log
  set +m

  local exit_status=0 end_reason
  wait "$worker" || exit_status=$?
  end_group "$worker" # what `main` left behind
  kill -KILL -- "-$watcher" 2>/dev/null || true # with the `sleep` that it may be in
  if ((exit_status == 0)); then
    # The two streams reach the runner independently. It takes the result only when the log has come as far.
    timeout 3 printf '%s told\n' "$nonce" >&2 || true
    printf 'done %s\n' "$nonce" || true
    [[ $at_end != linger ]] || listen <&8
  fi
  if [[ -z $lock ]] || holds_lock "$lock" "$holder"; then
    ! declare -F ended >/dev/null || ended >/dev/null || true
    [[ -z $lock ]] || rm -f -- "$lock.holder"
  fi
  ((exit_status == 0)) || printf 'failed %s\n' "$nonce" || true
  exit "$exit_status"
}
