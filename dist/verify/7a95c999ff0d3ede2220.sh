# shellcheck shell=bash
# Restores a dump into a scratch container, and reports what it then contains. The container has no network, no rights, no
# mounts and the lowest share of the machine, and is always removed. The dump may be hostile: the container's output is passed
# on as it comes and never held in this shell, and cut off if it is longer than any honest answer.

# The container: its name, image and memory, and after how many seconds it ends by itself.
takes name image
takes_number memory lifetime
# Bytes that must be free before the drill starts, and that must stay free while it runs.
takes_number needed least
# What is restored: the path of the dump, or its name off the host, if `incoming` says that the runner sends it. Files beside it are
# given as paths, or as base64 of what they hold; `globals` and `settings` are empty if the backup could not take them.
takes dump globals settings
takes_word format compression
# Bytes of the dump; the most sessions that build indexes at a time.
takes_number dump_bytes most_jobs
# The database, also as an argument of pg_restore or psql.
takes database database_argument
# Where what PostgreSQL says is kept.
takes words_log
# The server: its first superuser, its lc_monetary, and lines of postgresql.conf. Empty if unknown or as usual.
takes bootstrap_role monetary configuration
takes inside_script facts_before facts_tables facts_after
# Which tables to hash, and how many of their rows: JSON, quoted for psql.
takes chosen
# Options for createdb; libraries that the server loads at its start; statements that must be true of the restored data.
takes_list createdb_options libraries statements

# Bytes of the longest answer about indexes.
readonly most_indexes=$((1 << 20))

main() {
  # shellcheck disable=SC2034 # compare-schema.sh reads the texts
  local begin status=0 jobs sum sha256 dumped looking statement restored_text schema_text indexes
  # found: the tools in the container, and what it lacks. watch: the output of the process that watches Docker's disk.
  # troubled: whether a command in the container has failed.
  found='' watch='' troubled=''

  keep_words "$words_log"
  # Meanwhile, hash the dump, to compare it with the manifest: the restore needs the processor more than the start of a server does.
  # What the runner sends, it hashes itself.
  exec {sum}< <([[ -n $incoming ]] || sha256sum <"$dump")
  sweep_scratch &
  start_scratch
  exec {watch}< <(watch_room)
  check_room
  begin=$(milliseconds)
  found=$(roles_and_tablespaces | scratch prepare "$database" "$bootstrap_role" "$monetary" "$configuration" \
    "${#libraries[@]}" "${libraries[@]}" "${createdb_options[@]}" | limited 4096) || {
    heed_watch
    fail drill-not-started "Could not start PostgreSQL with the settings of the source in the image $image"
  }
  record found "$found"
  progress restoring "$dump_bytes"
  jobs=$(nproc)
  ((jobs <= most_jobs)) || jobs=$most_jobs
  if [[ -n $incoming ]]; then
    open_incoming
    restore_incoming <"$incoming/bytes"
    demand_whole
  else
    restore <"$dump" || status=$?
    heed_watch
  fi
  record restored "$status"
  record restore-ms "$(($(milliseconds) - begin))"
  read -r sha256 _ <&"$sum" || sha256=
  record sha256 "$sha256"
  ((status == 0)) || record_kills
  ((status == 0)) || return 0

  progress checking data
  [[ $found != *'lacks lc_monetary'* ]] || tell money 4096 look money </dev/null
  open_file restored_text
  open_file schema_text
  open_file indexes
  # Meanwhile, the schema is dumped, and then the indexes are read: both wait for the disk and the processor in turn.
  exec {looking}< <(look_meanwhile)
  # As much as a manifest can hold.
  tell facts "$((48 << 20))" look session < <(
    printf '%s\n' '\set lock_wait 60000' "$facts_before" "\\set snapshot ''" '\set row_counts scratch' "\\set chosen $chosen" \
      "$facts_tables" "$facts_after"
  )
  read -r dumped <&"$looking" || true
  record schema "$dumped"
  heed_watch
  read -r <&"$looking" || true # until it has ended
  tell indexes "$most_indexes" cat "/proc/self/fd/$indexes"
  ((${#statements[@]} == 0)) || tell reader "$((64 << 10))" look reader </dev/null
  for statement in "${statements[@]}"; do tell assertion "$((4 << 10))" look assert "$statement" </dev/null; done
  compare_schema "$dumped" "$database_argument" "$bootstrap_role" "$database" "${createdb_options[@]}"
  [[ -z $troubled && $dumped =~ ^[0-9a-f]{64}$ ]] || record_kills
}

# The settings of the database come first: the statements of the user depend on them. Indexes come last: to read them, objects
# are made that are not in the dump.
look_meanwhile() {
  heard schema dump_restored < <(unpacked "$settings")
  echo
  # Into a file: while Docker holds output that nobody reads, it may not tell us of other commands in the container that have ended.
  # One byte too many lets `tell` see that there was more.
  answered indexes look indexes </dev/null | head -c "$((most_indexes + 1))" >"/proc/self/fd/$indexes" || true
}

# What the source's server has besides databases. Its tablespaces are folders of another machine: they are put into the server's own.
roles_and_tablespaces() {
  echo 'SET allow_in_place_tablespaces = on;'
  unpacked "$globals" | sed -E "s/^(CREATE TABLESPACE .* LOCATION )'.*';\$/\1'';/"
}

# unpacked FILE: the contents of a file beside the dump; nothing if the backup could not take it. Through a pipe: what bash is given
# to read as a text may go through a file.
unpacked() {
  case $1 in
    '') ;;
    /*) gzip -d -c -- "$1" ;;
    *) printf %s "$1" | base64 --decode | gzip -d -c ;;
  esac
}

# scratch VERB ARGUMENT...: runs the inside script in the container, which is given no secrets.
scratch() {
  docker exec --interactive --env PGDATABASE --env PGTZ "$name" sh -c "$inside_script" inside "$@"
}

silence_all() { look silence </dev/null 2>&1 | limited 4096 >/dev/null; }

# look VERB ARGUMENT...: the same, in the restored database.
look() { PGDATABASE=$database scratch "$@"; }

# open_file NAME: opens a temporary file for reading and writing, and sets NAME to its descriptor. It loses its own name at once, so
# that nothing can be left on the host.
open_file() {
  local file
  local -n opened=$1
  file=$(mktemp) || fail drill-incomplete 'The host has no room for a temporary file'
  # shellcheck disable=SC2034 # the variable with that name gets it
  exec {opened}<>"$file"
  rm -f -- "$file"
}

# The container ends by itself at the deadline, and Docker then removes it. If this program dies earlier, a watchdog removes it.
start_scratch() {
  local error processors
  processors=$(nproc)
  error=$(docker run --detach --rm --pull never --name "$name" --label "atlasia.drill=$$" --label "atlasia.backup=$dump" --network none --cap-drop ALL \
    --log-driver none --security-opt no-new-privileges --user postgres --memory "$memory" --memory-swap "$memory" --pids-limit 200 \
    --cpus "$((processors * 3 / 4)).$((processors * 3 % 4 * 25))" --cpu-shares 2 --shm-size 128m --entrypoint sh "$image" \
    -c 'sleep "$1"' sh "$lifetime" 2>&1 >/dev/null </dev/null) || fail drill-not-started "$error"
  # It has none of our streams open: the connection would wait for it at the end.
  # shellcheck disable=SC2016,SC2154 # it is the watchdog's own shell that reads them; keep_words opens these two
  setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec docker rm --force --volumes "$2"' \
    bash "$$" "$name" </dev/null >/dev/null 2>&1 {words}>&- {words_told}>&- &
}

# Removes containers of earlier drills whose program is gone, for example after a reboot.
sweep_scratch() {
  local id process
  while read -r id process; do
    [[ -z $id || -e /proc/$process ]] || docker rm --force --volumes "$id" >/dev/null 2>&1 || true
  done < <(docker ps --all --filter label=atlasia.drill --format '{{.ID}} {{.Label "atlasia.drill"}}')
}

check_room() {
  local free
  read -r free <&"$watch" || free=
  progress room "$free"
  [[ $free =~ ^[0-9]+$ ]] || fail drill-not-started "Cannot tell how much space is free on Docker's disk"
  ((free >= needed)) || fail drill-no-room "$free $needed"
}

# Docker can limit a container's disk on few file systems only (`--storage-opt size=`), so we watch the disk ourselves.
# watch_room: removes the container when fewer bytes than `least` are free, when inodes run out, or when it can no longer tell.
# Prints how many bytes are free at first. At the end, how many are free and how many the container has used; then `gone`, once it
# is removed.
watch_room() {
  local free filled below
  # Runs as another user than the server, so that nothing in the restored data can kill it.
  exec {below}< <(docker exec --user 65534:65534 "$name" sh -c "$inside_script" inside room_below "$least" /tmp </dev/null 2>/dev/null)
  read -r -n 32 free <&"$below" || free=
  printf '%s\n' "$free"
  read -r -n 32 free <&"$below" || free=
  [[ $free =~ ^[0-9]+$ ]] || free=unseen
  # A container that has ended by itself fills nothing more.
  [[ $(docker inspect --format '{{.State.Running}}' "$name" 2>/dev/null) == true ]] || return 0
  # Pause it, so that it cannot grow while its size is measured.
  docker pause "$name" >/dev/null 2>&1 || true
  filled=$(timeout 20 docker inspect --size --format '{{json .SizeRw}}' "$name" 2>/dev/null) || filled=unseen
  printf '%s %s\n' "$free" "$filled"
  ! docker rm --force --volumes "$name" >/dev/null 2>&1 || echo gone
}

# Fails the drill if the watcher has removed the container.
heed_watch() {
  local seen gone
  { read -r -t 0 && read -r seen; } <&"$watch" || return 0
  read -r gone <&"$watch" || gone=kept
  fail drill-room-gone "$seen $gone"
}

# restore: restores what is on stdin. Unpacks inside the container, which is faster, if it has the program for that.
restore() {
  local program=$compression statuses
  [[ $format-$compression != custom-gzip ]] || program=none
  if [[ $program == none ]] || [[ $found == *"tool $program"* ]]; then
    heard restore scratch fill "$format" "$compression" "$database_argument" "$jobs" "$bootstrap_role" >/dev/null
  else
    "$program" -q -d -c | heard restore scratch fill "$format" none "$database_argument" "$jobs" "$bootstrap_role" >/dev/null &&
      return
    statuses=("${PIPESTATUS[@]}")
    # 141 is SIGPIPE: the decompressor stopped only because the restore did.
    ((statuses[0] == 0 || statuses[0] == 141)) || return 42
    return "${statuses[1]}"
  fi
}

# The rest is read even if the restore has failed: the runner can then say whether these were the right bytes.
restore_incoming() {
  restore || status=$?
  heed_watch
  cat >/dev/null
}

# Whether memory ran out is known only where the kernel counts it: see `kills` in drill-inside.sh.
record_kills() {
  local count
  count=$(scratch kills </dev/null 2>/dev/null | limited 32) || count=
  record kills "$count"
}

milliseconds() { date +%s%3N; }

# Removes the container, and says so if that fails: nothing else would.
ended() {
  local attempt word
  drop_incoming
  drop_words "$words_log"
  for attempt in 1 2 3; do
    # Docker has removed it, or there is none by that name any more; if it cannot tell, assume that the container is still there.
    word=$(docker rm --force --volumes "$name" 2>&1) && [[ $word == "$name" ]] && return 0
    [[ -n $(docker ps --all --quiet --filter "name=^/?$name\$" 2>&1) ]] || return 0
    ((attempt == 3)) || sleep 0.5
  done
  printf 'Could not remove the scratch container: %s\nOn the host: docker rm --force --volumes %s\n' "$word" "$name" >&2
}
