# shellcheck shell=bash
# Restores a dump into a scratch container, and tells what is in it then. The container has no network, no rights, no mounts
# and the lowest share of the machine; whatever happens, it is removed. What it says is passed on as it comes, and cut where
# that is more than there can be to say: what is restored may be hostile, and nothing of it is held in this shell.

# Of the container: its name, its image, its memory, and after how many seconds it ends by itself.
takes name image memory lifetime
# Bytes that must be free before it begins, and while it goes on.
takes needed least
# What is restored; `globals` and `settings` are empty where they could not be taken.
takes dump globals settings format compression
# The database, also as an argument of pg_restore or psql.
takes database database_argument timezone
takes inside_script facts_before facts_tables facts_after
# For initdb; and what must be true of the restored data.
takes_list initdb_options statements

main() {
  local begin status=0 sum sha256 schema statement
  # What there is in the container, and who watches its disk.
  found='' watch=''

  sweep_scratch
  start_scratch
  check_room
  exec {watch}< <(watch_room)
  begin=$(milliseconds)
  found=$(unpacked "$globals" | scratch prepare "$database" "${initdb_options[@]}" | limited 4096) || {
    heed_watch
    fail drill-not-started "No server of PostgreSQL like the source starts in the image $image"
  }
  progress restoring "$(stat --format %s -- "$dump")"
  # Meanwhile, whether these are the bytes of the manifest.
  exec {sum}< <(sha256sum <"$dump")
  restore || status=$?
  heed_watch
  record restored "$status"
  record restore-ms "$(($(milliseconds) - begin))"
  read -r sha256 _ <&"$sum" || sha256=
  record sha256 "$sha256"
  ((status == 0)) || return 0

  unpacked "$settings" | scratch tolerant 2>/dev/null || true
  exec {schema}< <(PGTZ=$timezone look schema </dev/null)
  # What a manifest has room for; the largest schema, and all of it still less than the runner takes.
  tell facts "$((16 << 20))" look session < <(
    printf '%s\n' '\set lock_wait 60000' '\set row_counts exact' "$facts_before" "$facts_tables" "$facts_after"
  )
  tell schema-text "$((40 << 20))" cat <&"$schema"
  progress checking indexes
  tell indexes "$((1 << 20))" look indexes </dev/null
  ((${#statements[@]} == 0)) || tell reader "$((64 << 10))" look reader </dev/null
  for statement in "${statements[@]}"; do tell assertion "$((4 << 10))" look assert "$statement" </dev/null; done
}

# unpacked FILE: what stands beside the dump; nothing where it could not be taken.
unpacked() { [[ -z $1 ]] || gzip -d -c -- "$1"; }

# scratch VERB ARGUMENT...: the script for the container, which has no secret of anybody's.
scratch() {
  docker exec --interactive --env PGDATABASE --env PGTZ "$name" sh -c "$inside_script" inside "$@"
}

# look VERB ARGUMENT...: the same, in the database that came back.
look() { PGDATABASE=$database scratch "$@"; }

# tell KEY BYTES COMMAND...: what it says, and on a last line, which is ours, how it ended: `exit STATUS`, or `cut BYTES`.
tell() {
  local key=$1 most=$2 statuses=(0 0)
  shift 2
  printf '%s\0' "$key"
  "$@" 2>&1 | limited "$most" || statuses=("${PIPESTATUS[@]}")
  if ((statuses[1] == 0)); then
    printf '\nexit %s\0' "${statuses[0]}"
  else
    printf '\ncut %s\0' "$most"
    # Who was cut off would go on speaking in there.
    look silence </dev/null 2>&1 | limited 4096 >/dev/null || true
  fi
  heed_watch
}

# limited BYTES: passes so many on, but for NULs, which end a record; fails where there are more, and whoever says them is
# cut off.
limited() {
  head -c "$1" | tr -d '\0'
  (($(head -c 1 | wc -c) == 0))
}

# The container ends by itself when its time is over, and Docker removes it then; and a watchdog does where nobody is left
# who would wait for it.
start_scratch() {
  local error processors
  processors=$(nproc)
  error=$(docker run --detach --rm --pull never --name "$name" --label "atlasia.drill=$$" --label "atlasia.backup=$dump" --network none --cap-drop ALL \
    --log-driver none --security-opt no-new-privileges --user postgres --memory "$memory" --memory-swap "$memory" --pids-limit 200 \
    --cpus "$((processors * 3 / 4)).$((processors * 3 % 4 * 25))" --cpu-shares 2 --shm-size 128m --entrypoint sh "$image" \
    -c 'sleep "$1"' sh "$lifetime" 2>&1 >/dev/null </dev/null) || fail drill-not-started "$error"
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
  free=$(scratch room </dev/null | limited 32) || free=
  progress room "$free"
  [[ $free =~ ^[0-9]+$ ]] || fail drill-not-started 'How much room there is could not be seen'
  ((free >= needed)) || fail drill-no-room "$free $needed"
}

# Docker limits the disk of a container on few file systems only (`--storage-opt size=`), so that somebody has to watch.
# watch_room: removes the container where fewer are free on its disk, where almost no inodes are, or where that can be seen no
# more. Before it does, it tells how many are free and how many the container has filled; then, that it is gone.
watch_room() {
  local free filled
  # By another user than the server's: nothing that is restored can end it.
  free=$(docker exec --user 65534:65534 "$name" sh -c "$inside_script" inside room_below "$least" </dev/null 2>/dev/null | limited 32) || free=
  [[ $free =~ ^[0-9]+$ ]] || free=unseen
  # One that has ended by itself fills nothing.
  [[ $(docker inspect --format '{{.State.Running}}' "$name" 2>/dev/null) == true ]] || return 0
  # It fills no more while its size is taken.
  docker pause "$name" >/dev/null 2>&1 || true
  filled=$(timeout 20 docker inspect --size --format '{{json .SizeRw}}' "$name" 2>/dev/null) || filled=unseen
  printf '%s %s\n' "$free" "$filled"
  ! docker rm --force --volumes "$name" >/dev/null 2>&1 || echo gone
}

# Ends the drill where the watcher has.
heed_watch() {
  local seen gone
  { read -r -t 0 && read -r seen; } <&"$watch" || return 0
  read -r gone <&"$watch" || gone=kept
  fail drill-room-gone "$seen $gone"
}

# restore: unpacked in the container, as that is faster, where it has what that takes.
restore() {
  local program=$compression statuses
  [[ $format-$compression != custom-gzip ]] || program=none
  if [[ $program == none ]] || [[ $found == *"tool $program"* ]]; then
    scratch restore "$format" "$compression" "$database_argument" <"$dump" >/dev/null
  else
    "$program" -q -d -c <"$dump" | scratch restore "$format" none "$database_argument" >/dev/null && return
    statuses=("${PIPESTATUS[@]}")
    # One that was cut off by the end of the other is not at fault.
    ((statuses[0] == 0 || statuses[0] == 141)) || return 42
    return "${statuses[1]}"
  fi
}

milliseconds() { date +%s%3N; }

# A container that stays is told of: nobody else would.
ended() {
  local attempt word
  for attempt in 1 2 3; do
    word=$(docker rm --force --volumes "$name" 2>&1) || true
    # Where that cannot be told, it is not taken for gone.
    [[ -n $(docker ps --all --quiet --filter "name=^/?$name\$" 2>&1) ]] || return 0
    ((attempt == 3)) || sleep 0.5
  done
  printf 'The scratch container could not be removed: %s\nOn the host: docker rm --force --volumes %s\n' "$word" "$name" >&2
}
