# shellcheck shell=bash
# Restores a dump into a scratch container, and tells what is in it then. The container has no network, no rights, no mounts
# and the lowest share of the machine; whatever happens, it is removed.
#
# NAME IMAGE DUMP GLOBALS SETTINGS FORMAT COMPRESSION DATABASE ARGUMENT MEMORY NEEDED DEADLINE TIMEZONE INSIDE-SCRIPT BEFORE TABLES AFTER
# OPTIONS OPTION... STATEMENTS STATEMENT...

main() {
  name=$1 image=$2 timezone=${13} inside_script=${14}
  dump=$3
  local globals=$4 settings=$5 format=$6 compression=$7 argument=$9 memory=${10} needed=${11} deadline=${12}
  local facts="${15}"$'\n'"${16}"$'\n'"${17}" begin status=0 sum sha256 schema statement
  # What there is in the container.
  found=
  database=$8
  shift 17

  sweep_scratch
  start_scratch "$memory" "$deadline"
  begin=$(milliseconds)
  found=$(unpacked "$globals" | scratch prepare "$database" "${@:2:$1}") ||
    fail drill-not-started "No server of PostgreSQL like the source starts in the image $image"
  shift "$(($1 + 1))"
  check_room "$needed"
  progress restoring "$(stat --format %s -- "$dump")"
  # Meanwhile, whether these are the bytes of the manifest.
  exec {sum}< <(sha256sum <"$dump")
  restore "$dump" "$format" "$compression" "$argument" || status=$?
  record restored "$status"
  record restore-ms "$(($(milliseconds) - begin))"
  read -r sha256 _ <&"$sum" || sha256=
  record sha256 "$sha256"
  ((status == 0)) || return 0

  unpacked "$settings" | scratch tolerant 2>/dev/null || true
  exec {schema}< <(PGDATABASE=$database PGTZ=$timezone scratch schema </dev/null)
  tell_facts "$facts"
  record schema-text "$(cat <&"$schema")"
  progress checking indexes
  tell indexes indexes
  (($1 == 0)) || tell reader reader
  for statement in "${@:2:$1}"; do tell assertion assert "$statement"; done
}

# unpacked FILE: what stands beside the dump; nothing where it could not be taken.
unpacked() { [[ -z $1 ]] || gzip -d -c -- "$1"; }

# scratch VERB ARGUMENT...: the script for the container, which has no secret of anybody's.
scratch() {
  docker exec --interactive --env PGDATABASE --env PGTZ "$name" sh -c "$inside_script" inside "$@"
}

# tell KEY VERB ARGUMENT...: what it says, with its exit in front.
tell() {
  local key=$1 said status=0
  shift
  said=$(PGDATABASE=$database scratch "$@" </dev/null 2>&1) || status=$?
  record "$key" "$status $said"
}

# The container ends by itself when its time is over, and Docker removes it then; and a watchdog does where nobody is left
# who would wait for it.
start_scratch() {
  local memory=$1 deadline=$2 error processors
  processors=$(nproc)
  error=$(docker run --detach --rm --pull never --name "$name" --label "atlasia.drill=$$" --label "atlasia.backup=$dump" --network none --cap-drop ALL \
    --security-opt no-new-privileges --user postgres --memory "$memory" --memory-swap "$memory" --pids-limit 200 \
    --cpus "$((processors * 3 / 4)).$((processors * 3 % 4 * 25))" --cpu-shares 2 --shm-size 128m --entrypoint sh "$image" \
    -c 'sleep "$1"' sh "$deadline" 2>&1 >/dev/null </dev/null) || fail drill-not-started "$error"
  # shellcheck disable=SC2016 # it is the watchdog's own shell that reads them
  setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec docker rm --force --volumes "$2"' \
    bash "$$" "$name" </dev/null >/dev/null 2>&1 &
}

# Of a drill that nobody carries any more, because the machine went down.
sweep_scratch() {
  local id process
  while read -r id process; do
    [[ -z $id || -e /proc/$process ]] || docker rm --force --volumes "$id" >/dev/null 2>&1 || true
  done < <(docker ps --all --filter label=atlasia.drill --format '{{.ID}} {{.Label "atlasia.drill"}}')
}

check_room() {
  local free
  free=$(sed -n 's/^room //p' <<<"$found")
  progress room "$free"
  [[ $free =~ ^[0-9]+$ ]] || fail drill-not-started 'How much room there is could not be seen'
  ((free >= $1)) || fail drill-no-room "$free $1"
}

# restore DUMP FORMAT COMPRESSION ARGUMENT: unpacked in the container, as that is faster, where it has what that takes.
restore() {
  local program statuses
  program=$3
  [[ $2-$3 != custom-gzip ]] || program=none
  if [[ $program == none ]] || [[ $found == *"tool $program"* ]]; then
    scratch restore "$2" "$3" "$4" <"$1" >/dev/null
  else
    "$program" -q -d -c <"$1" | scratch restore "$2" none "$4" >/dev/null && return
    statuses=("${PIPESTATUS[@]}")
    # One that was cut off by the end of the other is not at fault.
    ((statuses[0] == 0 || statuses[0] == 141)) || return 42
    return "${statuses[1]}"
  fi
}

# tell_facts STATEMENTS: as they were told when the dump was taken.
tell_facts() {
  local line
  while IFS= read -r line; do record fact "$line"; done < <(
    printf '%s\n' '\set lock_wait 60000' '\set row_counts exact' "$1" | PGDATABASE=$database scratch session 2>&1
  )
}

milliseconds() { date +%s%3N; }

ended() { docker rm --force --volumes "$1" >/dev/null 2>&1 || true; }
