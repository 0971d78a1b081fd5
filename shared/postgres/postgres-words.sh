# shellcheck shell=bash
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

# keep_words LOG: call it once, in the program's own shell. The log appears only when there is something to say.
keep_words() {
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
  printf 'What PostgreSQL says is kept on the host, in %s. Here it stands without what may come from your data\n' "$words_log" >&"$words_told"
  # Of earlier runs, the last few; the name without a run was used before.
  find "${words_log%/*}" -maxdepth 1 -type f -regextype posix-extended \
    -regex '.*/postgres(-[0-9]{8}_[0-9]{6}|-drill-[0-9a-f]{8})?\.log' -printf '%T@ %p\0' 2>/dev/null |
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

# What comes out of a row in a message, and is cut out of it.
readonly message_cuts=(
  's~^(invalid input (syntax|value) for [^:"]+|invalid input syntax for [^:]*|malformed (array|record|range|multirange) literal|(date/time|interval) field value out of range|time zone displacement out of range|invalid byte sequence for encoding "[A-Za-z0-9_]+"|invalid value for parameter "[A-Za-z0-9_.]+"|invalid (regular expression|hexadecimal digit|hexadecimal data|symbol [^:]*|escape string|snapshot identifier|name syntax|size|octet in MAC address|[A-Za-z]+ (address|format|value) [^:"]*)): .*$~\1: …~'
  's~^(invalid (hexadecimal|binary) digit|invalid symbol|time zone|date/time value|unterminated [a-z/* -]+ at or near|syntax error at or near|[a-z ]+ at or near) ".*~\1 "…"~'
  's~^value ".*" (is out of range for type [a-z ]+)$~value "…" \1~'
  's~^".*" (is out of range for type [a-z ]+|is not a valid (binary|hexadecimal) digit)$~"…" \1~'
  's~^(character with byte sequence) 0x[0-9a-f x]+ (in encoding)~\1 … \2~'
)

readonly of_kind='(table|relation|view|materialized view|column|sequence|schema|function|type|domain|role|database|extension|operator class|operator family|collation|language|index|trigger|event trigger|constraint|tablespace|foreign-data wrapper|server|foreign table|publication|subscription|text search [a-z]+|conversion|rule|policy|access method|snapshot|statistics object|cursor|parameter)'

# What may come out of a row where a function was given one for a name, and is cut out as well.
readonly kind_cuts=(
  "s~^(permission denied for|must be owner of) $of_kind .*~\\1 \\2 …~"
  "s~^($of_kind|function|procedure|aggregate|cast|operator|large object|tablespace) .* (does not exist|already exists|is not unique|is not installed|is ambiguous|is not available)( for .*| in .*)?\$~\\1 … \\3~"
  's~^(operator does not exist|(operator|function) is not unique): .*~\1: …~'
  's~^(could not [a-z]+ )(in |from |to )?((extension control )?file|directory|library|symbolic link) ".*": ([A-Z][a-z/]+( [a-z/]+)*)$~\1\3 …: \5~'
  's~^(unrecognized configuration parameter|invalid value for parameter|missing FROM-clause entry for table) .*~\1 …~'
)
# These hold no names.
readonly kinds=(
  "(permission denied for|must be owner of) $of_kind …" "($of_kind|[a-z]+|large object|operator) … (does not exist|already exists|is not unique|is not installed|is ambiguous|is not available)"
  '(operator|function) (does not exist|is not unique): …' '(unrecognized configuration parameter|invalid value for parameter|missing FROM-clause entry for table) …'
  'could not [a-z]+ (file|extension control file|directory|library|symbolic link) …: (No such file or directory|Permission denied|No space left on device|Cannot allocate memory|Input/output error|Is a directory|Not a directory|File name too long|Disk quota exceeded|Too many open files)'
  'no schema has been selected to create in'
)

# Messages that quote only names, numbers, files and reasons of the operating system.
readonly messages=(
  # Rights.
  "permission denied (for|to) .+" "permission denied: \".+\" is a system catalog" "must be (owner|superuser|member|able) .+"
  'query would be affected by row-level security policy for table ".+"'
  # Time, memory, disk, the server.
  'terminating (connection|background worker|walreceiver|autovacuum).*'
  'could not obtain lock on .+' 'could not serialize access .+'
  'could not (open|read|write|extend|stat|fsync|create|access|remove|rename|link|seek|truncate|map|load|close|flush) (in |from |to )?(file|blocks?|directory|shared|temporary|extension|unique index|exclusion constraint|status of|library|symbolic link|relation|tablespace|lock file|archive|semaphores|locale|collator|ICU).*'
  'could not (send|receive) data (to|from) .+' 'could not (import the requested|export a|find) (snapshot|function ".+" in file ".+")' 'could not fork .+' 'could not connect to .+'
  'the database system is .+' 'sorry, too many clients already' 'remaining connection slots .+' 'too many connections for (role|database) ".+"'
  'password authentication failed for user ".+"' '[A-Za-z]+ authentication failed for user ".+"' 'no pg_hba.conf entry for .+' 'SSL .+' 'connection to .+ failed: .+' 'connection requires a valid client certificate'
  'database ".+" is not currently accepting connections' 'role ".+" is not permitted to log in' 'pg_hba.conf rejects .+' 'cannot connect to invalid database ".+"' 'unsupported startup parameter( in options)?: .+' 'could not write init file.*'
  '".+" is not a valid data directory' 'recovery is in progress' 'cannot use serializable mode in a hot standby' 'connection limit exceeded for .+' 'pre-existing shared memory block .+'
  # Damage.
  'tuple (concurrently|to be) .+'
  '(item order|high key|cross page item order|down-link lower bound|version|mismatch between|metapage|block|index|item) .*(index|invariant) ".+".*' 'heap tuple .+ lacks matching index tuple .+' 'right sibling.+' 'could not find (parent|left sibling|right sibling|tuple|block|pathkey|trigger|attribute|constraint) .+'
  '(index|relation|table|sequence) ".+" (contains|lacks|is not|has|does not) .+' 'attempted to .+ (tuple|block)' 'tablespace [0-9]+ .+' "type with OID [0-9]+ does not exist" "$of_kind with OID [0-9]+ does not exist"
  # Names.
  "$of_kind \".+\" (of $of_kind \".+\" )?(does not exist|already exists|is not unique|is not installed|is ambiguous)( for .+| in .+)?" '(function|procedure|aggregate|type|column|cast|operator) ([a-z ]+ )?[A-Za-z0-9_.]+(\(.*\)|\[\])? does not exist' 'large object [0-9]+ does not exist'
  'operator does not exist: .+' '(operator|function) is not unique: .+' 'no schema has been selected to create in'
  '(unrecognized|invalid) configuration parameter( name)? ".+"' 'constraint ".+" (of|for) .+ (does not exist|already exists)' 'required extension ".+" is not installed' 'extension ".+" (is not available|has no .+|must be .+)'
  '[a-z_ ]+ (must|can only) be loaded via "?shared_preload_libraries"?' 'can only create extension in database [A-Za-z0-9_.-]+' 'unsupported version .+' 'encoding ".+" .+' 'collation ".+" .+' 'missing FROM-clause entry for table ".+"'
  # Of a statement itself.
  'incompatible library ".+": .+' '(unrecognized|invalid) parameter ".+"' 'multiple primary keys for table ".+" are not allowed' 'large object [0-9]+ already exists' 'invalid locale name: ".+"' 'new [A-Za-z_ ]+ (\(.+\) )?is incompatible with .+'
  '(function|operator|procedure|aggregate) .+ is not unique' 'column ".+" is a generated column' 'generated columns cannot be used in COPY( .*)?' 'must have (CREATE|USAGE|the|privileges) .+' 'language ".+" is not .+' 'access method ".+" does not .+' 'type ".+" is (only a shell|not .+)' '".+" is (a|an|not a|not an) [a-z ]+'
  'there is no built-in function named ".+"' 'relation ".+" is already (a partition|owned|member) .*' 'publication parameter ".+" .+'
  'cannot (alter|drop) [a-z ]+ .+ because .+' 'COPY .+ (is not supported|cannot .+)' 'expected [0-9]+ .+'
)

# Those that can name nothing but what is there, whichever code they come up in.
readonly messages_anywhere=(
  # Time, memory, damage.
  'canceling statement due to [a-z -]+' 'deadlock detected' 'out of (shared )?memory' 'could not resize shared memory segment .+'
  'missing chunk number .+' 'unexpected chunk (number|size) .+' 'invalid page in block .+' 'page verification failed.*' 'compressed [a-z0-9 ]+ is corrupt' 'found (xmin|xmax|multixact) .+' 'invalid memory alloc request size [0-9]+' 'cache lookup failed for .+' 'MultiXactId [0-9]+ .+'
  # Rules that rows break; those name the rule.
  'duplicate key value violates unique constraint ".+"' 'conflicting key value violates exclusion constraint ".+"'
  '(insert or update|update or delete|delete|update) on table ".+" violates foreign key constraint ".+"' '(new row for|check constraint ".+" (of|for)) relation ".+" (violates check constraint ".+"|violates partition constraint|is violated by some row)'
  'new row violates (row-level security policy|check option) .+' '(check constraint|partition constraint) (".+"|of relation ".+"|".+" of relation ".+") is violated by some row' 'null value in column ".+" violates not-null constraint' 'null value in column ".+" of relation ".+" violates not-null constraint'
  'column ".+" (of relation|of table) ".+" contains (null values|values that violate the new constraint)' 'column ".+" contains null values' 'value for domain .+ violates check constraint ".+"' 'domain .+ does not allow null values' 'no partition of relation ".+" found for row'
  'updated partition constraint for .+ would be violated by some row' 'there is no unique constraint matching given keys for referenced table ".+"' 'foreign key constraint ".+" cannot be implemented' 'insert or update on table ".+" violates .+ constraint ".+"'
  # Data, after the cuts.
  '(invalid|malformed|date/time|interval|time zone)[^:]*: …' 'invalid input syntax for type (json|xml|uuid)' '[a-z /*-]+ (at or near )?"…"( is out of range for type [a-z ]+)?' '"…" is .+' 'value "…" is out of range for type [a-z ]+' 'time zone "…".*' 'syntax error at end of input'
  'value too long for type .+' '(smallint|integer|bigint|interval|timestamp|date|time|cidr|OID|real|numeric|"char"|money|value|year|lower bound) (is )?out of range( for type [a-z ]+)?' 'numeric field overflow' 'value out of range: (overflow|underflow)' 'division by zero' 'bit string (length [0-9]+ does not match|too long for) type bit.*'
  'character with byte sequence … in encoding ".+" has no equivalent in encoding ".+"' 'missing data for column ".+"' 'extra data after last expected column' 'unquoted (newline|carriage return) found in data' 'invalid byte sequence for encoding "[A-Za-z0-9_]+"' 'literal (newline|carriage return) found in data' 'end-of-copy marker corrupt' 'unexpected EOF .+'
  'cannot insert (a non-DEFAULT value into|multiple commands into) .+' 'invalid (XML|JSON) (content|document|text)' 'unsupported Unicode escape sequence' 'index row (size|requires) .+' 'index expression .+' 'row is too big: .+' 'tables can have at most [0-9]+ columns' 'number of (columns|dimensions) .+'
  'cannot execute [A-Z ]+ (in a read-only transaction|during recovery)' 'cannot cast (type|jsonb) .+ to .+' 'cannot insert into (column|view) ".+"' 'cannot copy (from|to) [a-z ]+ ".+"'
  'functions in (index|statistics|partition key) .+ must be marked IMMUTABLE' 'generation expression is not immutable' 'data type .+ has no default operator class for access method ".+"' 'could not (identify|determine) .+ (operator|function|collation|type) .*' 'could not create unique index ".+"' 'could not create exclusion constraint ".+"'
  'infinite recursion detected in rules? for relation ".+"' 'stack depth limit exceeded' 'unrecognized privilege type.*' 'materialized view ".+" has not been populated'
)
