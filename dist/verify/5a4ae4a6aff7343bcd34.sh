# shellcheck shell=bash
# Sent in front of every program. It starts the program's `main` in a process group of its own, listens to the runner's
# heartbeats beside it, and ends the group when the runner falls silent, hangs up, or the deadline is over.
#
# stdout: `begin NONCE`, then records (key NUL value NUL), then `done NONCE` or `failed NONCE`. Nothing else counts.
# stderr: the log; lines that begin with the nonce are the supervisor's own.
#
# A program defines `main`; it may define `ended`, which is called once, when `main` is over and, for a program that
# lingers, when the runner let go of it: the place to put the host back in order, whatever happened.

set -euo pipefail
umask 077
export LC_ALL=C

takes nonce silence deadline at_end lock lock_wait holder

# record KEY VALUE: one fact of the result. A program that finishes goes on where nobody reads it any more.
record() { printf '%s\0%s\0' "$1" "$2" 2>/dev/null || [[ $at_end == finish ]]; }

# fail CODE DETAIL: ends the program with a named failure. Only from the program's own shell, never in a pipeline.
fail() {
  record failure "$1"
  record detail "$2"
  exit 1
}

# progress NAME VALUE: tells the runner how far a long step is.
progress() { printf '%s progress %s %s\n' "$nonce" "$1" "$2" >&2 || [[ $at_end == finish ]]; }

# Takes the lock in the program's shell. The supervisor has the same open file, so the lock lives as long as it does;
# the program's children must not, or one that is left behind would hold it.
take_lock() {
  local waited=0
  until flock --nonblock 9; do
    ((waited < lock_wait)) || fail lock-held "$(lock_holder "$lock")"
    ((waited % 15)) || progress waiting-for "$(lock_holder "$lock")"
    sleep 1
    waited=$((waited + 1))
  done
  # A lock file that was deleted meanwhile guards nothing: somebody else may hold its successor.
  [[ /proc/self/fd/9 -ef $lock ]] || fail lock-lost "$lock was replaced while it was waited for"
  tell_holder "$lock" "$holder"
  exec 9>&-
}

# Reads heartbeats on stdin; returns with the reason in `reason` when the program must end.
listen() {
  local left patience status
  while :; do
    left=$((deadline - SECONDS))
    ((left > 0)) || { reason=deadline && return 0; }
    patience=$((left < silence ? left : silence))
    status=0
    IFS= read -r -N 1 -t "$patience" _ || status=$?
    ((status)) || continue
    if ((status > 128)); then
      ((SECONDS < deadline)) || { reason=deadline && return 0; }
      reason=silence
    else
      reason=end-of-input
    fi
    [[ $at_end == finish ]] || return 0
    sleep "$((deadline - SECONDS))"
  done
}

# The group is sent TERM, and KILL after 3 s: docker's client passes neither on, so `ended` looks after containers.
end_group() {
  local patience=$((SECONDS + 3))
  kill -TERM -- "-$1" 2>/dev/null || return 0
  while group_lives "$1" && ((SECONDS < patience)); do sleep 0.1; done
  kill -KILL -- "-$1" 2>/dev/null || true
}

# A process that has ended and was not collected by its parent still takes signals; it does not count.
group_lives() {
  local file line state group
  for file in /proc/[0-9]*/stat; do
    { IFS= read -r line <"$file"; } 2>/dev/null || continue
    read -r state _ group _ <<<"${line##*) }"
    [[ $group != "$1" || $state == [ZX] ]] || return 0
  done
  return 1
}

watch() {
  trap '' PIPE HUP
  local reason=
  listen
  printf '%s ended %s\n' "$nonce" "$reason" >&2 || true
  end_group "$worker"
}

work() {
  exec 8<&-
  # What it prints must not end it, when the runner is gone.
  [[ $at_end != finish ]] || trap '' PIPE
  [[ -z $lock ]] || take_lock
  main
}

# The lock's folder may be new: the lock is the first thing that a run writes.
open_lock() {
  { mkdir -p -- "${lock%/*}" && exec 9>>"$lock"; } 2>/dev/null || refuse lock-unusable "$lock cannot be written"
}

# refuse CODE DETAIL: before the program has begun.
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
  exec 8<&0 </dev/null
  [[ -z $lock ]] || open_lock

  set -m # each of the two gets a process group of its own
  work &
  worker=$!
  trap '' PIPE HUP TERM INT
  watch <&8 >/dev/null &
  watcher=$!
  disown "$watcher" # bash would report its end in the log
  set +m

  local status=0 reason
  wait "$worker" || status=$?
  end_group "$worker" # what `main` left behind
  kill -KILL -- "-$watcher" 2>/dev/null || true # with the `sleep` that it may be in
  if ((status == 0)); then
    printf 'done %s\n' "$nonce" || true
    [[ $at_end != linger ]] || listen <&8
  fi
  if [[ -z $lock ]] || holds_lock "$lock" "$holder"; then
    ! declare -F ended >/dev/null || ended >/dev/null || true
    [[ -z $lock ]] || rm -f -- "$lock.holder"
  fi
  ((status == 0)) || printf 'failed %s\n' "$nonce" || true
  exit "$status"
}
