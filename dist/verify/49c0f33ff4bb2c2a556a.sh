# shellcheck shell=bash
# shellcheck disable=SC2034 # postgres-words.sh reads them
# The shapes of PostgreSQL's messages that postgres-words.sh passes on, and what it cuts out of them.

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
  "s~^($of_kind|function|procedure|aggregate|cast|operator|large object|tablespace) .* (does not exist|already exists|is not unique|is not installed|is ambiguous|is not available)( with same argument types| for .*| in .*)?\$~\\1 … \\3~"
  's~^(operator does not exist|(operator|function) is not unique): .*~\1: …~'
  's~^(could not [a-z]+ )(in |from |to )?((extension control |[a-z-]+ )?file|directory|library|symbolic link) ".*"( for reading)?: ([A-Z][a-z/]+( [a-z/]+)*)$~\1\3 …\5: \6~'
  's~^(could not connect to server) ".*"$~\1 …~'
  's~^(unrecognized configuration parameter|invalid value for parameter|missing FROM-clause entry for table) .*~\1 …~'
)
# These hold no names.
readonly kinds=(
  "(permission denied for|must be owner of) $of_kind …" "($of_kind|[a-z]+|large object|operator) … (does not exist|already exists|is not unique|is not installed|is ambiguous|is not available)"
  '(operator|function) (does not exist|is not unique): …' '(unrecognized configuration parameter|invalid value for parameter|missing FROM-clause entry for table) …'
  'could not connect to server …'
  'could not [a-z]+ (([a-z-]+ |extension control )?file|directory|library|symbolic link) …( for reading)?: (No such file or directory|Permission denied|No space left on device|Cannot allocate memory|Input/output error|Is a directory|Not a directory|File name too long|Disk quota exceeded|Too many open files)'
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
  'could not open [a-z-]+ file ".+": .+' 'security label provider ".+" is not loaded' 'could not (send|receive) data (to|from) .+' 'could not (import the requested|export a|find) (snapshot|function ".+" in file ".+")' 'could not fork .+' 'could not connect to .+'
  'the database system is .+' 'sorry, too many clients already' 'remaining connection slots .+' 'too many connections for (role|database) ".+"'
  'password authentication failed for user ".+"' '[A-Za-z]+ authentication failed for user ".+"' 'no pg_hba.conf entry for .+' 'SSL .+' 'connection to .+ failed: .+' 'connection requires a valid client certificate'
  'database ".+" is not currently accepting connections' 'role ".+" is not permitted to log in' 'pg_hba.conf rejects .+' 'cannot connect to invalid database ".+"' 'unsupported startup parameter( in options)?: .+' 'could not write init file.*'
  '".+" is not a valid data directory' 'recovery is in progress' 'cannot use serializable mode in a hot standby' 'connection limit exceeded for .+' 'pre-existing shared memory block .+'
  # Damage.
  'tuple (concurrently|to be) .+'
  '(item order|high key|cross page item order|down-link lower bound|version|mismatch between|metapage|block|index|item) .*(index|invariant) ".+".*' 'heap tuple .+ lacks matching index tuple .+' 'right sibling.+' 'could not find (parent|left sibling|right sibling|tuple|block|pathkey|trigger|attribute|constraint) .+'
  '(index|relation|table|sequence) ".+" (contains|lacks|is not|has|does not) .+' 'attempted to .+ (tuple|block)' 'tablespace [0-9]+ .+' "type with OID [0-9]+ does not exist" "$of_kind with OID [0-9]+ does not exist"
  # Names.
  "$of_kind \".+\" (of $of_kind \".+\" )?(does not exist|already exists|is not unique|is not installed|is ambiguous)( with same argument types| for .+| in .+)?" '(function|procedure|aggregate|type|column|cast|operator) ([a-z ]+ )?[A-Za-z0-9_.]+(\(.*\)|\[\])? does not exist' 'large object [0-9]+ does not exist'
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
  'canceling statement due to [a-z -]+' 'deadlock detected' 'could not establish connection' 'out of (shared )?memory' 'could not resize shared memory segment .+'
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
