# shellcheck shell=bash
# shellcheck disable=SC2154 # postgres-messages.sh has the shapes
# Filters what PostgreSQL and its programs print on standard error: DETAIL, CONTEXT, the text of a command and the message
# itself may quote rows. All of it stays on the host, in a log of the run's own. Only lines of known shapes are passed on, and of those
# only what cannot come out of a row. A row may hold line breaks, and behind them anything, such as an ERROR line: so nothing
# is believed that follows a message whose end is not known. A function may take a row for a name, so names are shown only where
# a statement of the program itself was refused, and no code of the database ran in it.

# Bytes of one program that the log takes, and of one whose output is an answer. Each line counts as so many more, for the time
# that it takes.
readonly most_words=1048576 most_answered=16384 line_cost=48
# Logs that are kept in a backup folder.
readonly most_logs=10

# keep_words LOG: call it once, in the program's own shell. The log appears only when there is something to say. Without a name,
# nothing is kept.
keep_words() {
  if [[ -z $1 ]]; then
    words_new=''
    exec {words}>/dev/null {words_told}>&2
    return
  fi
  local folder=${1%/*}
  words_log=$1 words_new=$folder/.postgres.log.$$
  find "$folder" -maxdepth 1 -name '.postgres.log.*' -mmin +1440 -delete 2>/dev/null || true
  { rm -f -- "$words_new" && set -o noclobber && : >"$words_new" && exec {words}>>"$words_new"; } 2>/dev/null ||
    { words_new='' && exec {words}>/dev/null; }
  set +o noclobber
  exec {words_told}>&2
}

# drop_words LOG: removes the log that was opened, if nothing was said.
drop_words() { rm -f -- "${1%/*}/.postgres.log.$$"; }

# heard NAME COMMAND...: runs the command, and filters its standard error. NAME stands in front of its lines in the log.
heard() { { "${@:2}" 2>&1 >&3 3>&- | postgres_words "$1" drain >&2 3>&-; } 3>&1; }

# answered NAME COMMAND...: the same for a command whose answer is wanted: what is passed on goes into its output. If it says too
# much it is cut off, and the status is 77.
answered() { { "${@:2}" 2>&1 >&3 3>&- | postgres_words "$1" cut 3>&-; } 3>&1; }

# postgres_words NAME drain|cut: filters stdin.
postgres_words() {
  local most=$most_words
  [[ $2 == drain ]] || most=$most_answered
  local line length=0 rest='' begun='' state=clean
  # Of the error: what it begins with, its message, and how much of that is shown (see `tell_error`).
  local error_begin='' error='' shown='' at_entry=''
  while IFS= read -r -n 8192 line || [[ -n $line ]]; do
    if [[ -z $begun ]]; then
      begun=yes
      tell_words_log
    fi
    length=$((length + ${#line} + line_cost))
    if ((length > most)); then
      printf '%s: (the rest is left out)\n' "$1" >&"$words" || true
      # What would tell whose words these are may be in the rest.
      shown=nothing
      tell_error
      [[ $2 == drain ]] || return 77
      cat >/dev/null
      return 0
    fi
    line=${line//[$'\001'-$'\010'$'\013'-$'\037'$'\177']/?}
    printf '%s: %s\n' "$1" "$line" >&"$words" || true
    [[ -n $rest ]] || said "$line" "$1"
    # The rest of a line that is too long is as little to be believed as the lines below it.
    if ((${#line} == 8192)); then rest=yes; else rest=''; fi
  done
  tell_error
}

# Whichever of the program's parts is the first to say something lets the log appear, and says where it is.
tell_words_log() {
  [[ -n $words_new ]] && mv -fT -- "$words_new" "$words_log" 2>/dev/null || return 0
  printf 'What PostgreSQL says is kept on the host, in %s. Here it is shown without anything that may come from your data\n' "$words_log" >&"$words_told"
  # Of earlier runs, the last few; the name without a run was used before.
  find "${words_log%/*}" -maxdepth 1 -type f -regextype posix-extended \
    -regex '.*/postgres(-[0-9]{8}_[0-9]{6}|-(drill|restore)-[0-9a-f]{8})?\.log' -printf '%T@ %p\0' 2>/dev/null |
    sort --zero-terminated --reverse --numeric-sort | tail --zero-terminated --lines "+$((most_logs + 1))" |
    cut --zero-terminated --delimiter ' ' --fields 2- | xargs --null --no-run-if-empty rm -f -- || true
}

readonly said_program='^((pg_dump|pg_dumpall|pg_restore|psql): (\[[a-z() ]+\] )?)((error|fatal|warning|detail|hint|info): )?(.*)$'
readonly said_by_server='^(psql:<stdin>:[0-9]+: )?(ERROR|FATAL|PANIC):  (.*)$'
readonly connection_lost='server closed the connection unexpectedly|connection to server was lost|SSL connection has been closed unexpectedly'
readonly said_in_passing='^(psql:<stdin>:[0-9]+: )?(WARNING|NOTICE|INFO|LOG|DEBUG):  (.*)$'
# Docker, the shell in the container and the compressors, which know no rows.
readonly said_by_others='^(Error( response from daemon)?|Cannot connect to the Docker daemon at [^ ]+|OCI runtime [a-z ]+|error during connect|docker|zstd|gzip|stdbuf|sh|inside|tee|dd|openssl|/[a-z/]*sh|/[A-Za-z0-9_.+/-]+/(pg_dump|pg_dumpall|pg_restore|psql|zstd|gzip|stdbuf|awk|dd)): .*$'
# The same, without a name in front.
readonly said_by_docker='^(Cannot connect to the Docker daemon at [^ ]+\. Is the docker daemon running\?|(Got )?permission denied while trying to connect to the [Dd]ocker .*|unexpected EOF|context canceled|Killed|Terminated|Aborted|Segmentation fault|Bus error|Illegal instruction)( \(core dumped\))?$'
# What they add on systems that are set up in an odd way.
readonly said_in_vain='^(WARNING: Error loading config file: .*|WARN(ING)?\[[0-9]+\] .*|time="[^"]*" level=[a-z]+ msg=.*|Emulate Docker CLI using podman.*|ERROR: ld\.so: object .* cannot be preloaded .*: ignored\.|What.s next:|What is next:|    (Try Docker Debug|Learn more at|View a summary) .*|(perl|bash|[a-z/]*sh): warning: .*|perl: warning: .*|[[:space:]](LANGUAGE|LANG|LC_[A-Z]+) = .*,?|    are supported and installed on your system\.)$'

# said LINE PART: passes on a line, or what can be shown of it. PART of the run it belongs to. `state` of the caller is what we know of the place of this line:
#   clean: at the beginning of a message     noted: after a warning of the server that has one line
#   awaiting: after an error whose cause is the next line     unsure: may be inside a message
#   refused: after the line of the error     over: below that
said() {
  case $state in
    refused | over)
      if [[ $2 != indexes || ! $1 =~ $said_by_server ]]; then
        follows "$1"
        state=over
        return 0
      fi
      # The session that reads the indexes goes on after an error.
      tell_error
      state=clean
      ;;
    awaiting)
      state=over
      [[ $1 == *'Error message from server: '* && $1 =~ $said_program ]] || return 0
      ;;
  esac
  if [[ $1 =~ $said_by_server ]]; then
    [[ $2 != restore || -z ${BASH_REMATCH[1]} ]] || at_entry=unknown
    hold_error "${BASH_REMATCH[1]}" '' "${BASH_REMATCH[2]}:  " "${BASH_REMATCH[3]}"
  elif [[ $1 =~ $said_program ]]; then
    said_of_program "${BASH_REMATCH[1]}" "${BASH_REMATCH[4]}" "${BASH_REMATCH[6]}"
  elif [[ $1 =~ ^(psql:<stdin>:[0-9]+: )?((error|fatal): )?($connection_lost|COPY command failed) ]]; then
    # Words of libpq, which hold nothing: even a row that looks like them would betray nothing.
    printf '%s\n' "${BASH_REMATCH[0]}"
    state=over
  elif [[ $1 =~ $said_in_passing ]]; then
    tell_passing "$1"
  elif [[ -z $1 || ($state == noted && $1 =~ ^(DETAIL|HINT):\ \ ) ]]; then
    :
  elif [[ $state != unsure && ($1 =~ $said_by_others || $1 =~ $said_by_docker || $1 =~ $said_in_vain || $1 == 'The image has no '*) ]]; then
    printf '%s\n' "$1"
  else
    state=unsure
  fi
}

# tell_passing LINE: of notices and warnings of the server, which may be a function's words, only known ones are passed on.
tell_passing() {
  if [[ $state != unsure && ${BASH_REMATCH[2]} == WARNING && ${BASH_REMATCH[3]} =~ ^($harmless_warnings)$ ]]; then
    state=noted
    printf '%s\n' "$1"
  else
    state=unsure
  fi
}

# said_of_program PREFIX LEVEL TEXT: a program's own message, which may end with one of the server's.
said_of_program() {
  local level before
  # Before version 12, the programs pass on like this what the server says in passing.
  if [[ $3 =~ $said_in_passing ]]; then
    tell_passing "$1$3"
    return 0
  fi
  for level in ERROR FATAL PANIC; do
    before=${3%%"$level:  "*}
    [[ $before != "$3" && ! $before =~ (Query|query|[Cc]ommand)\ was: ]] || continue
    hold_error "$1$2" "$before" "$level:  " "${3#"$before$level:  "}"
    return 0
  done
  # In another language, nothing is known of the words of the server.
  if [[ $state != unsure && $2 != @(warning|detail|hint|info)': ' && $3 =~ ^([A-Za-z ]+(\ \"[^\"]*\")?:\ )+[^[:space:]\":]+:\ \  ]]; then
    hold_error "$1$2" "${BASH_REMATCH[0]}" '' ''
    return 0
  fi
  if [[ $state == unsure && $2 != @(error|fatal)': ' ]]; then
    return 0
  elif [[ $3 =~ ^(Query|query|[Tt]he\ command|Command|command)\ was: || $1 == 'psql: ' && ! $3 =~ ^(connection\ to|could\ not\ connect) ]]; then
    state=unsure
  elif [[ $state == unsure ]]; then
    printf '%s%s…\n' "$1" "$2"
    state=over
  else
    printf '%s%s%s\n' "$1" "$2" "$3"
    [[ ! $3 =~ $entry_with_rows ]] || at_entry=rows
    if [[ $3 == 'Dumping the contents of table '* ]]; then
      state=awaiting
    elif [[ $2 == @(error|fatal)': ' ]]; then
      state=over
    fi
  fi
}

# hold_error PREFIX BEFORE LEVEL MESSAGE: our sessions end at their first error, so whatever follows belongs to it. PREFIX is the
# program's, and BEFORE are its words.
hold_error() {
  error=$4 shown=names
  [[ -z $at_entry ]] || shown=kinds
  if [[ $state == unsure ]]; then
    error_begin=$1$3 shown=nothing
  else
    error_begin=$1$2$3
  fi
  state=refused
}

# follows LINE: what follows the error tells whose words it has. Rows may stand in these lines too, and forge others: so none of
# them lets more be shown than the others, but for the first, which no row can take.
follows() {
  if [[ $state == refused && $1 =~ ^LINE\ [0-9]+:\  ]]; then
    # The parser refused the program's own statement, so nothing ran in it; unless a CONTEXT follows.
    [[ $shown != kinds ]] || shown=names
  elif [[ $1 =~ (RAISE|ASSERT)$ || ($1 =~ ^(CONTEXT:|PL/) && ${#1} -eq 8192) ]]; then
    shown=nothing
  elif [[ $1 =~ ^CONTEXT:\ \  ]]; then
    if [[ $shown == names && $1 =~ $context_of_server ]]; then
      shown=kinds
    elif [[ ! $1 =~ $context_of_server ]]; then
      shown=nothing
    fi
  elif [[ $1 =~ ^[^[:space:]\"]+(\ |$'\xc2\xa0')?:\ \  && ! $1 =~ ^(DETAIL|HINT|QUERY|ERROR|FATAL|WARNING|NOTICE|LOCATION): ]]; then
    # CONTEXT in another language.
    shown=nothing
  fi
}

# tell_error: passes on the error, once the whole of it has been read: with `names`; as one of the `kinds` of errors without names,
# if a function may have been given a row for one; or with `nothing` of its message, which may be a function's own.
tell_error() {
  [[ -n $error_begin ]] || return 0
  case $shown in
    nothing) error=… ;;
    *) error=$(safe_message "$shown" "$error") ;;
  esac
  printf '%s%s\n' "$error_begin" "$error"
}

# safe_message names|kinds MESSAGE: what is shown of a message of the server; `…` if its shape is not known.
safe_message() {
  local shape text sql_state='' args=() shapes=("${messages[@]}")
  for shape in "${message_cuts[@]}"; do args+=(-e "$shape"); done
  if [[ $1 == kinds ]]; then
    for shape in "${kind_cuts[@]}"; do args+=(-e "$shape"); done
    shapes=("${kinds[@]}")
  fi
  # A verbose session puts the state of SQL in front.
  [[ ! $2 =~ ^[0-9A-Z]{5}:\  ]] || sql_state=${BASH_REMATCH[0]}
  text=$(sed -E "${args[@]}" <<<"${2#"$sql_state"}")
  for shape in "${shapes[@]}" "${messages_anywhere[@]}"; do
    [[ ! $text =~ ^($shape)$ ]] || { printf '%s%s' "$sql_state" "$text" && return 0; }
  done
  printf '%s…' "$sql_state"
}

# Where PostgreSQL itself says in which code an error came up, and not a function in another language, whose words may be its own.
readonly context_of_server='^CONTEXT:  (PL/pgSQL (function|assignment) |SQL (function|statement|expression) |COPY |referential integrity |automatic |while |parallel worker|JSON data, |compilation of PL/pgSQL )'
# In these, a restore calls functions with rows.
readonly entry_with_rows='from TOC entry [0-9]+; [0-9]+ [0-9]+ (TABLE DATA|MATERIALIZED VIEW DATA|INDEX|CONSTRAINT|CHECK CONSTRAINT) '

# Warnings of PostgreSQL itself, each of one line and with no row in it.
readonly harmless_warnings='(database|collation) ".*" has (a|no) .*(collation|actual) version.*|collation ".*" has version mismatch|terminating connection because of crash of another server process|no privileges (could be revoked|were granted) for ".*"|not all privileges .* for ".*"|page verification failed, calculated checksum [0-9]+ but expected [0-9]+|wal_level is insufficient to publish logical changes|subscription was created, but is not connected|tables were not subscribed, you will have to run .*|there is (already a|no) transaction in progress|hash indexes are not WAL-logged and their use is discouraged|(operator|aggregate|type) attribute ".*" not recognized|changing (return|argument) type of function .* from .* to .*'
