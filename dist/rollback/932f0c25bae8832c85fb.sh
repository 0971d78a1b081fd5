# shellcheck shell=bash disable=SC2034 # told.sh sets `troubled`
# Restores a dump into a new database beside the live one, which goes on serving, and reports what it then contains. Whatever
# happens before it is complete, the new database is dropped.

takes container user live
# How the server is reached, as reach-server.sh takes it; empty where the container's own variables are enough.
takes server_host server_port password_from
# The new database, also as an argument of pg_restore; how it is made, as clauses of CREATE DATABASE.
takes restored restored_argument made_as
# Statements: for roles that are missing; for the new database's settings, empty if the live one's are to be taken over; of the user.
takes roles settings after_sql
# What is restored: the path of the dump, or its name off the host, if `incoming` says that the runner sends it.
takes dump sha256
takes_number dump_bytes
takes_word format compression
# The most sessions that build indexes at a time.
takes_number most_jobs
# A path on the disk of the database, and the bytes that must stay free there, on the disk of the write-ahead log, and, as far as SQL
# text names them, in other tablespaces.
takes data_folder
takes_number least
takes words_log
takes inside_script facts_before facts_tables facts_after
# Which tables to hash, and how many of their rows: JSON, quoted for psql.
takes chosen

main() {
  local begin sum status=0 found free jobs since watch='' troubled=''
  export PGUSER=$user SERVER_HOST=$server_host SERVER_PORT=$server_port PASSWORD_FROM=$password_from ATLASIA_MESSAGES=C
  keep_words "$words_log"
  since=$(container_state)
  # Another run may have deleted it until we had the lock.
  [[ -n $incoming || -r $dump ]] || fail set-gone "$dump no longer exists, or cannot be read"
  # Hashed while it is restored. What the runner sends, it hashes itself.
  exec {sum}< <([[ -n $incoming ]] || sha256sum <"$dump")
  heard sweep inside sweep "$live" "$restored" </dev/null || true
  exec {watch}< <(watch_room)
  jobs=$(nproc)
  ((jobs <= most_jobs)) || jobs=$most_jobs

  heard roles inside over_all --single-transaction <<<"$roles" || {
    heed_server
    fail restore-failed 'Could not create the roles that the backup needs'
  }
  read -r free <&"$watch" || free=
  [[ $free =~ ^[0-9]+$ ]] || give_up restore-failed 'Cannot tell how much space is free on the disks of the server'
  heard create inside create "$restored" "$live" <<<"$made_as" ||
    give_up restore-failed "Could not create the database $restored"
  begin=$(milliseconds)
  progress restoring "$dump_bytes"
  if [[ -n $incoming ]]; then
    open_incoming
    restore_incoming <"$incoming/bytes"
    demand_whole
  else
    fill <"$dump" || status=$?
  fi
  heed_watch
  record restore-ms "$(($(milliseconds) - begin))"
  # Other bytes may fail to restore, too: then that is the reason.
  found=$sha256
  [[ -n $incoming ]] || read -r found _ <&"$sum" || found=
  [[ -n $found ]] || fail checksum-failed "$dump could not be read to its end"
  [[ $found == "$sha256" ]] || fail checksum-failed "$dump does not match its manifest"
  ((status == 0)) || heed_server
  judge_status "$status"

  progress checking data
  if [[ -n $settings ]]; then
    heard settings inside take_settings "$restored" <<<"$settings"
  else
    PGDATABASE=$live heard settings inside settings "$restored" </dev/null | heard settings inside take_settings "$restored"
  fi || give_up restore-failed "Could not give $restored the owner, grants and settings of the database"
  tell facts "$((48 << 20))" look session < <(
    printf '%s\n' '\set lock_wait 60000' "$facts_before" "\\set snapshot ''" '\set row_counts scratch' "\\set chosen $chosen" \
      "$facts_tables" "$facts_after"
  )
  [[ -z $troubled ]] || heed_server
  if [[ -n $after_sql ]]; then
    progress after-sql 1
    # What its SELECTs print is of no use, and would stand between our records.
    PGDATABASE=$restored heard after inside after <<<"$after_sql" >/dev/null ||
      give_up after-sql-failed 'A statement in "after-restore-sql" failed'
  fi
  # After it was compared, since this may write.
  PGDATABASE=$restored heard login inside login </dev/null ||
    give_up restore-failed 'Could not log in to the restored database as "db-user"'
  record subscriptions "$(heard subscriptions look subscriptions </dev/null | head -c 100000)"
  progress analyzing 1
  heard analyze look analyze "$restored_argument" "$jobs" </dev/null ||
    record unanalyzed 'The statistics of the restored database could not be made'
  heed_watch
  heard complete inside mark "$restored" "$live" complete </dev/null || give_up restore-failed "Could not finish $restored"
}

# inside VERB ARGUMENT...: runs the script in the database container.
inside() {
  docker exec --interactive --env PGUSER --env PGDATABASE --env SERVER_HOST --env SERVER_PORT --env PASSWORD_FROM \
    --env ATLASIA_MESSAGES "$container" sh -c "$inside_script" inside "$@"
}

# look VERB ARGUMENT...: the same, in the new database.
look() { PGDATABASE=$restored inside unnoticed "$@"; }

silence_all() { inside end_sessions "$restored" </dev/null >/dev/null 2>&1; }

# fill: restores what is on stdin. Unpacks inside the container, which is faster, if it has the program for that.
fill() {
  local program=$compression statuses
  [[ $format-$compression != custom-gzip ]] || program=none
  if [[ $program == none ]] || inside has "$program" </dev/null; then
    heard restore inside unnoticed fill "$format" "$compression" "$restored_argument" "$jobs" >/dev/null
  else
    "$program" -q -d -c | heard restore inside unnoticed fill "$format" none "$restored_argument" "$jobs" >/dev/null && return
    statuses=("${PIPESTATUS[@]}")
    # 141 is SIGPIPE: the decompressor stopped only because the restore did.
    ((statuses[0] == 0 || statuses[0] == 141)) || return 42
    return "${statuses[1]}"
  fi
}

# The rest is read even if the restore has failed: the runner can then say whether these were the right bytes.
restore_incoming() {
  fill || status=$?
  cat >/dev/null
}

judge_status() {
  case $1 in
    0) ;;
    41) fail restore-failed 'The backup does not restore here' ;;
    42) fail restore-failed 'The backup cannot be decompressed completely' ;;
    43) fail restore-failed 'The end of the backup is missing' ;;
    *) fail restore-failed "The restore was cut short (exit $1)" ;;
  esac
}

# watch_room: prints how many bytes are free; drops the new database when fewer than `least` are, or when it can no longer tell, and
# prints it again: a full disk would stop the live one too.
watch_room() {
  local free below open
  exec {open}<> <(:) # as long as we live
  exec {below}< <(inside watch_disk "$data_folder" "$least" "$format" "$restored" "$live" <&"$open" 2>/dev/null)
  for _ in first last; do
    read -r free <&"$below" || free=
    printf '%s\n' "${free:-unseen}"
    [[ -n $free ]] || break
  done
  inside discard "$restored" "$live" </dev/null >/dev/null 2>&1 || true
}

# Fails if the disk has become too full.
heed_watch() {
  local free
  { read -r -t 0 && read -r free; } <&"$watch" || return 0
  [[ $free == unseen ]] || fail restore-no-room "$free $least"
  heed_server
  fail restore-failed 'The disks of the server can no longer be watched'
}

# Since when the container of the database runs, its name, and how it has ended, if it has. Nothing if Docker does not tell.
container_state() {
  docker inspect --format '{{.State.StartedAt}} {{.Name}} {{if .State.Running}}{{else}}ended: exit {{.State.ExitCode}}{{if .State.OOMKilled}}, out of memory{{end}}{{end}}' \
    "$container" 2>/dev/null </dev/null || true
}

# heed_server: fails if the container of the database has ended, or was started anew: whatever failed in it failed for that. Docker may
# tell of that a little later than of what ran in there.
heed_server() {
  local now name attempt
  for attempt in 1 2 3 4 5; do
    now=$(container_state)
    [[ -n $since && -n $now ]] || return 0
    [[ $now == "$since" ]] || break
    ((attempt < 5)) || return 0
    sleep 0.2
  done
  read -r _ name now <<<"$now"
  fail database-silent "The container of the database, ${name#/}, ${now:-was restarted} while the backup was restored"
}

# give_up CODE MESSAGE: fails. Where the disk became too full meanwhile, or the server went down, that was the reason.
give_up() {
  heed_watch
  heed_server
  fail "$@"
}

milliseconds() { date +%s%3N; }

# What is not complete is of no use to anybody.
ended() {
  local error
  drop_incoming
  drop_words "$words_log"
  export PGUSER=$user SERVER_HOST=$server_host SERVER_PORT=$server_port PASSWORD_FROM=$password_from
  error=$(timeout 60 docker exec --interactive --env PGUSER --env SERVER_HOST --env SERVER_PORT --env PASSWORD_FROM "$container" \
    sh -c "$inside_script" inside discard "$restored" "$live" incomplete </dev/null 2>&1 >/dev/null) ||
    printf 'Could not drop %s, the incomplete restored database. The next restore does so: %s\n' "$restored" "$error" >&2
}
