# shellcheck shell=bash
# Takes one dump into `.partial-<id>/` of its first tier, parses it while it is written, reads the file again from disk to
# compare its checksum with the stream's, and holds the lock until the runner has published it. Changes nothing else on the
# host. With encryption, the dump and the files beside it come to the disk only as ciphertext.

# Longest packed text to send, in bytes: two of these and the rest fit into a result.
readonly most_packed=12582912
# Bytes that are kept of what the container says of a dump.
readonly most_told=268435456

takes backup_dir words_log home container user database where
takes_number started level table_wait
takes_word format compression extension row_counts
# How the files of the set are encrypted, none or age, and for whom: public keys.
takes_word encryption
takes_list recipients
# How the server is reached, as reach-server.sh takes it; empty where the container's own variables are enough.
takes server_host server_port password_from
takes inside_script facts_before facts_tables facts_after previous_schema expected_sets_state
# This run is next in the line for the lock: yes, or empty.
takes in_turn
# Refuse if a rollback has put deployments on hold: yes, or empty.
takes refuse_on_hold
# shellcheck disable=SC2034 # sets.sh reads it
takes_list layout

main() {
  export_way

  # Whoever stands in line was here before us.
  [[ -n $in_turn || -z $(lock_owner "$backup_dir/.lock.turn") ]] || fail lock-held "$(lock_holder "$backup_dir/.lock.turn")"
  # The runner made its decisions about the other sets before we had the lock.
  [[ $(sets_state "$backup_dir") == "$expected_sets_state" ]] || fail sets-changed "Other sets in $backup_dir have changed"
  # A rollback that had the lock before us may have set it.
  [[ -z $refuse_on_hold || ! -e $backup_dir/rollback/HOLD ]] || fail on-hold "$(head -c 4096 -- "$backup_dir/rollback/HOLD" || true)"
  [[ $encryption == none ]] || check_recipients
  keep_words "$words_log"
  heard terminate terminate_sessions || true # a session that stays is a nuisance only to itself
  sweep "$backup_dir"
  local folder
  for folder in $(folders_at flat nested aside); do mkdir -p -- "$backup_dir/$folder"; done
  choose_id
  export PGAPPNAME=atlasia-$id
  staging=$backup_dir/$home/.partial-$id
  set_name=$(prefix_in "$home")_$id
  mkdir -- "$staging"
  cd -- "$staging" || exit
  dump=$set_name.$extension
  record id "$id"

  open_snapshot
  local schema_job=''
  # Two sessions of pg_dump at a time may need more locks than the server has.
  [[ $locks == scarce ]] || dump_schema
  take_settings_and_globals &
  local others_job=$!
  write_dump
  read_back &
  local reading=$!
  [[ -n $schema_job ]] || dump_schema
  tell_side schema "$schema_job"
  tell_side globals "$others_job"
  tell_side settings "$others_job"
  close_snapshot
  tell_read_back "$reading"
  record_previous_schema
}

dump_schema() {
  schema_copy=''
  [[ $encryption == none ]] || open_memory schema_copy
  take_side schema inside schema "$table_wait" "$snapshot" &
  schema_job=$!
}

# take_side NAME COMMAND...: writes the output of a command into a file that belongs beside the dump, with its sums, for `tell_side`
# to judge; encrypted, if that is wanted, before any of it comes to the disk.
take_side() {
  local name=$1 file copy=/dev/null
  shift
  file=$(side_name "$name")
  # The runner wants to know whether the schema has changed.
  [[ $encryption == none || $name != schema ]] || copy=/dev/fd/$schema_copy
  { heard "$name" "$@" </dev/null | not_empty | gzip -n -c | tee --output-error=exit -- "$copy" | sealed >"$file"; } 2>"$name.log" &&
    sums "$file" >"$name.sums"
}

# Two sides from one command in the container. Each counts if it has ended well; why not, both logs say.
take_settings_and_globals() {
  local mark texts settings globals ends
  # No name or comment can hold it.
  mark=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  texts=$(heard 'settings or globals' inside settings_and_globals "$mark" </dev/null 2>globals.log) || true
  cp -- globals.log settings.log
  settings=${texts%%"$mark "*}
  ends=${texts:${#settings}}
  [[ $ends != "$mark 0"$'\n'* ]] || take_side settings printf '%s' "$settings" || true
  ends=${ends#*$'\n'}
  globals=${ends%%"$mark "*}
  [[ ${ends:${#globals}} != "$mark 0" ]] || take_side globals printf '%s' "$globals"
}

side_name() { [[ $encryption == none ]] && printf '%s' "$set_name.$1.sql.gz" || printf '%s' "$set_name.$1.sql.gz.age"; }

# Passes stdin on. Fails if there is nothing.
not_empty() {
  local first
  IFS= read -r -d '' -n 1 first || [[ -n $first ]] || return
  printf '%s' "$first"
  cat
}

# stdin as it is to be stored.
sealed() { if [[ $encryption == none ]]; then exec cat; else seal; fi; }

# Encrypts stdin. The recipients go through a pipe, not through `ps`.
seal() { age --encrypt --recipients-file <(printf '%s\n' "${recipients[@]}"); }

# Before the dump: age may know better than the runner what a good key is.
check_recipients() {
  local error
  error=$(seal </dev/null 2>&1 >/dev/null) || fail encryption-failed "age on the host refuses to encrypt: ${error:-it does not start}"
}

# open_memory NAME: opens a file in memory, and sets NAME to its descriptor. It loses its own name at once.
open_memory() {
  local file
  local -n opened=$1
  file=$(mktemp -p /dev/shm) || fail write-failed 'The host has no room for a file in /dev/shm'
  # shellcheck disable=SC2034 # the variable with that name gets it
  exec {opened}<>"$file"
  rm -f -- "$file"
}

# Children learn only from the environment who connects to what, and how the server is reached.
export_way() {
  export PGUSER=$user PGDATABASE=$database SERVER_HOST=$server_host SERVER_PORT=$server_port PASSWORD_FROM=$password_from
}
readonly way=(--env PGUSER --env PGDATABASE --env SERVER_HOST --env SERVER_PORT --env PASSWORD_FROM)

# inside VERB ARGUMENT...: runs the script in the database container. Arguments are constants of ours.
inside() {
  docker exec --interactive "${way[@]}" --env PGAPPNAME --env ATLASIA_MESSAGES "$container" \
    sh -c "$inside_script" inside "$@"
}

# Ends the database sessions of the unfinished dumps in this backup folder. Those of other backup folders may be alive.
terminate_sessions() {
  local id ids=()
  for id in $(unfinished_sets); do ids+=("atlasia-${id##*/.partial-}"); done
  ((${#ids[@]})) || return 0
  timeout 20 docker exec "${way[@]}" "$container" \
    sh -c "$inside_script" inside terminate "${ids[@]}" </dev/null >/dev/null
}

# unfinished_sets: FOLDER/.partial-ID of each set that is being put into a folder, or was when its run was interrupted.
unfinished_sets() {
  local folder marker
  for folder in $(folders_at flat nested); do
    for marker in "$backup_dir/$folder"/.partial-*; do
      [[ ! -d $marker || ! ${marker##*/} =~ ^\.partial-[0-9]{8}_[0-9]{6}$ ]] || printf '%s\n' "$folder/${marker##*/}"
    done
  done
}

# The second in which the run started, or the next free one if that is taken.
choose_id() {
  local second=$started taken
  shopt -s nullglob
  while :; do
    id=$(date --utc --date "@$second" +%Y%m%d_%H%M%S)
    taken=("$backup_dir"/*/*"_$id".* "$backup_dir"/*/"$id")
    ((${#taken[@]})) || break
    second=$((second + 1))
  done
  shopt -u nullglob
}

# Opens a session that holds the snapshot during the dump, and counts rows in the snapshot meanwhile.
open_snapshot() {
  coproc facts { heard snapshot inside session; }
  # Subshells do not get the descriptors of a coprocess, but they do get these copies. The `cat` below must not have fd 6.
  exec 5<&"${facts[0]}" 6>&"${facts[1]}"
  # shellcheck disable=SC1083 # closing by the variable's number
  exec {facts[1]}>&-
  tell_session '\set lock_wait '"$table_wait"$'\n'"$facts_before"
  local line
  while IFS= read -r line <&5; do
    case $line in
      'snapshot '*)
        snapshot=${line#* }
        [[ $snapshot =~ ^[0-9A-F-]+$ ]] || break
        count_tables &
        counting=$!
        return 0
        ;;
      'locks '*) locks=${line#* } ;;
      'superuser '*) [[ $line != *' on' ]] || export ATLASIA_MESSAGES=C ;;
      *) record fact "$line" ;;
    esac
  done
  tell_waits after
  fail no-snapshot 'The database did not export a snapshot'
}

# A write error does not matter here: if the session has ended, its answers will be missing.
tell_session() {
  trap '' PIPE
  printf '%s\n' "$1" >&6 2>/dev/null || true
  trap - PIPE
}

# Counts in a session of its own that holds few locks at a time.
count_tables() {
  printf '%s\n' '\set lock_wait '"$table_wait" '\set row_counts '"$row_counts" '\set snapshot '"$snapshot" "\\set chosen ''" "$facts_tables" |
    heard rows inside session >facts.txt 5<&- 6>&-
}

close_snapshot() {
  wait "$counting" || true
  local counted
  counted=$(tail -n 1 facts.txt)
  tell_session "$facts_after"
  exec 6>&-
  cat <&5 >>facts.txt || true
  [[ $counted == counted && $(tail -n 1 facts.txt) == end ]] || record facts-incomplete 'The session that counts the rows ended too early'
  record facts "$(packed <facts.txt)"
  rm -f -- facts.txt
}

# Parses the stream while it is written, and computes its checksum: if what is on disk has the same, it is what was parsed.
write_dump() {
  local statuses begin parser parsing
  begin=$(milliseconds)
  watch_size "$dump" dumped 5<&- 6>&- &
  local watching=$!
  exec {parser}> >(parse 5<&- 6>&-)
  parsing=$!
  produce | tee --output-error=exit -- "/dev/fd/$parser" | sealed | tee --output-error=exit -- "$dump" | sha256 >stream.sha256 &&
    statuses=(0 0 0 0 0) || statuses=("${PIPESTATUS[@]}")
  # shellcheck disable=SC1083 # closing by the variable's number
  exec {parser}>&-
  wait "$parsing" || true
  kill "$watching"
  record_ms dump "$begin"
  judge_stages "${statuses[0]}" "${statuses[@]:3}" "${statuses[@]:1:2}"
}

# The dump as it is to be stored or encrypted. Exit 31: pg_dump failed; 32: the compressor.
produce() {
  local statuses
  if [[ $where == container ]]; then
    heard dump inside dump "$format" "$compression" "$level" "$snapshot" "$table_wait" </dev/null
    return
  fi
  heard dump inside dump "$format" none "$level" "$snapshot" "$table_wait" </dev/null | compress && return || statuses=("${PIPESTATUS[@]}")
  # 141 is SIGPIPE: it could not write on.
  ((statuses[1] == 0 || statuses[1] == 141)) || return 32
  return "$((statuses[0] ? statuses[0] : statuses[1]))"
}

# Has the container parse all of the dump on stdin while it is written, and keeps what it says of it. It may end early: what is left
# is read on, so that whoever writes it goes on.
parse() {
  {
    heard read-back unpacking inside parse "$format" "$(compression_inside)" | head -c "$most_told" || printf '\nexit 1\n'
  } >parsed || true
  cat >/dev/null
}

# How the stages of parsing ended: of an archive, what follows its contents, which are names that others chose.
stages() {
  # Missing if whoever wrote it was killed.
  if [[ ! -e parsed ]]; then
    printf 'exit 1'
  elif [[ $format == custom ]]; then
    tac -- parsed | sed '/^list [0-9]*$/q' | head -c 4096
  else
    cat -- parsed
  fi
}

# unpacking COMMAND...: feeds stdin to a command in the container. What the host has compressed, only the host can decompress for sure.
unpacking() {
  case $where-$compression in
    container-* | *-none) "$@" ;;
    *-zstd) zstd -q -d -c | "$@" ;;
    *-gzip) gzip -d -c | "$@" ;;
  esac
}

# How the container gets the dump.
compression_inside() { if [[ $where == container ]]; then printf '%s' "$compression"; else printf none; fi; }

compress() {
  case $compression in
    zstd) zstd -q -c "$([[ $level == 1 ]] && echo --single-thread || echo -T0)" "-$level" ;;
    gzip) gzip -n -c "-$level" ;;
  esac
}

# judge_stages DUMP WRITER CHECKSUM PARSER ENCRYPTION: how they ended. A stage that dies takes those before it with it, so the last
# one is asked first; and before all, whether the disk is full.
judge_stages() {
  if (($2 || $3)); then
    local free
    { read -r && read -r free; } < <(df --block-size=1 --output=avail -- .)
    ((free >= 1048576)) || fail disk-full "The disk of $backup_dir is full: $free bytes left"
    (($3 == 0)) || fail checksum-failed "The program that computes the checksum failed (exit $3)"
    fail write-failed "The dump could not be written to $backup_dir (exit $2)"
  fi
  if (($5)); then
    [[ $encryption == none ]] || fail encryption-failed "age failed on the host (exit $5)"
    fail dump-interrupted "Something stopped the programs that write the dump (exit $5)"
  fi
  (($4 == 0)) || fail dump-interrupted "Something stopped the programs that read the dump while it was written (exit $4)"
  case $1 in
    0) ;;
    31)
      tell_waits after
      fail dump-failed 'pg_dump failed'
      ;;
    32) fail compressor-failed "The compressor $compression failed" ;;
    *) fail dump-interrupted "Something stopped the dump (exit $1). $(tell_container)" ;;
  esac
}

# How the database's container is now; a reason only if it stopped, or was started during the dump.
tell_container() {
  local state
  state=$(timeout 10 docker inspect --format '{{.State.Status}}, started at {{.State.StartedAt}}' "$container" 2>&1) ||
    state="unknown: $state"
  printf "The database's container is now %s" "${state:0:300}"
}

# tell_side NAME JOB: what became of a file that belongs beside the dump. If it is missing, the dump counts, but the run is incomplete.
tell_side() {
  local file
  file=$(side_name "$1")
  wait "$2" || true
  if [[ ! -s $1.sums ]]; then
    rm -f -- "$file"
    record "$1" "$(cat -- "$1.log" 2>/dev/null)"
    cat -- "$1.log" >&2 || true
  else
    record "$1" taken
    record "$1-sums" "$(<"$1.sums")"
    if [[ $1 != schema ]]; then :; elif [[ $encryption == none ]]; then record_packed schema-text "$file"; else record_packed schema-text "/dev/fd/$schema_copy"; fi
  fi
  rm -f -- "$1.sums" "$1.log"
}

# Reads the dump again from disk, not from the page cache, beside whatever else is left to do.
read_back() {
  local begin
  begin=$(milliseconds)
  sync -- "$dump"
  dd if="$dump" iflag=nocache count=0 status=none 2>/dev/null || true
  head -c 5 -- "$dump" | od -An -tx1 >disk.magic
  sha256 <"$dump" >disk.sha256 &
  local sha=$!
  md5sum -- "$dump" >disk.md5 &
  local md5=$!
  # A checksum that could not be computed stays empty, and fails its check.
  wait "$sha" || : >disk.sha256
  wait "$md5" || : >disk.md5
  printf '%s' "$(($(milliseconds) - begin))" >disk.ms
}

# tell_read_back JOB: what the disk has, and what the container said of the stream.
tell_read_back() {
  wait "$1" || fail checksum-failed "The dump could not be read again from the disk of $backup_dir (exit $?)"
  record size "$(stat --format %s -- "$dump")"
  record magic "$(<disk.magic)"
  record verify "$(stages)"
  [[ $format != custom ]] || record contents "$({ grep -a ' TABLE DATA ' parsed || true; } | packed)"
  record sha256 "$(cut -d ' ' -f 1 disk.sha256)"
  record md5 "$(cut -d ' ' -f 1 disk.md5)"
  record stream-sha256 "$(cut -d ' ' -f 1 stream.sha256)"
  record read-ms "$(<disk.ms)"
  rm -f -- parsed disk.magic disk.sha256 disk.md5 disk.ms stream.sha256
}

record_previous_schema() {
  [[ ! -f $previous_schema || -L $previous_schema || ! -r $previous_schema ]] ||
    record_packed previous-schema-text "$previous_schema"
}

# packed: packs stdin, for texts that may be long.
packed() { gzip -n -c -1 | base64 --wrap=0; }

# record_packed KEY FILE: sends a file that gzip has compressed, unless it is still too long.
record_packed() {
  (($(stat --dereference --format %s -- "$2") > most_packed)) || record "$1" "$(base64 --wrap=0 -- "$2")"
}

# watch_size FILE NAME: tells how large a file is; while it does not grow, also what the dump waits for.
watch_size() {
  local size before=''
  while sleep 2; do
    size=$(stat --format %s -- "$1" 2>/dev/null || echo 0)
    progress "$2" "$size"
    [[ $size != "$before" ]] || tell_waits during
    before=$size
  done
}

# tell_waits during|after: who holds the locks that the dump waits for, or may have waited for in vain. Silent if nobody can tell.
tell_waits() {
  local line
  while IFS= read -r line; do progress "waits-$1" "$line"; done < <(
    timeout 10 docker exec "${way[@]}" "$container" \
      sh -c "$inside_script" inside waits "$1" "$PGAPPNAME" </dev/null 2>/dev/null | head -c 8192
  )
}

# SHA-256 of stdin; the sum is the first word. OpenSSL is three times as fast as older coreutils. Try it first: an
# installed openssl may not work.
sha256() {
  if openssl dgst -sha256 -r </dev/null >/dev/null 2>&1; then openssl dgst -sha256 -r; else sha256sum; fi
}

sums() {
  local sha md5
  sha=$(sha256 <"$1") && md5=$(md5sum -- "$1") && printf '%s %s' "${sha%% *}" "${md5%% *}"
}

record_ms() { record "$1-ms" "$(($(milliseconds) - $2))"; }

milliseconds() { date +%s%3N; }

# Called when the runner has let go. Waits for a running publication, longer than one may take, and prevents new ones;
# then removes what was not published.
ended() {
  local folder
  [[ -z $words_log ]] || drop_words "$words_log"
  export_way
  exec 7>>"$backup_dir/.lock.publish"
  flock --wait 330 7 || return 0
  if terminate_sessions 2>/dev/null; then
    sweep "$backup_dir"
  else
    # The empty folder tells the next run whose sessions to end.
    for folder in $(unfinished_sets); do rm -rf -- "${backup_dir:?}/$folder"/*; done
  fi
}
