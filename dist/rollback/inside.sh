# shellcheck shell=sh disable=SC2154 # reach-server.sh sets what is told of the route
# Follows reach-server.sh, in the database container: what a backup asks of the server there, `inside VERB ARGUMENT...`.

# The setting that marks an empty database as one that a restore has created.
created_for_restore='atlasia.created=for a restore'
# Whether there is nothing in a database that pg_dump would write: what a new one has of its own has smaller numbers. The rights
# on the schema that everybody has are compared with those of a new one.
nothing_inside="NOT EXISTS (SELECT FROM (SELECT oid FROM pg_class UNION ALL SELECT oid FROM pg_proc UNION ALL SELECT oid FROM pg_namespace
  UNION ALL SELECT oid FROM pg_type UNION ALL SELECT oid FROM pg_extension UNION ALL SELECT oid FROM pg_language
  UNION ALL SELECT oid FROM pg_am UNION ALL SELECT oid FROM pg_operator UNION ALL SELECT oid FROM pg_opclass
  UNION ALL SELECT oid FROM pg_opfamily UNION ALL SELECT oid FROM pg_cast UNION ALL SELECT oid FROM pg_transform
  UNION ALL SELECT oid FROM pg_collation UNION ALL SELECT oid FROM pg_conversion UNION ALL SELECT oid FROM pg_ts_config
  UNION ALL SELECT oid FROM pg_ts_dict UNION ALL SELECT oid FROM pg_ts_parser UNION ALL SELECT oid FROM pg_ts_template
  UNION ALL SELECT oid FROM pg_foreign_data_wrapper UNION ALL SELECT oid FROM pg_foreign_server UNION ALL SELECT oid FROM pg_publication
  UNION ALL SELECT oid FROM pg_event_trigger UNION ALL SELECT oid FROM pg_default_acl
  UNION ALL SELECT 16384 FROM pg_largeobject_metadata
  UNION ALL SELECT 16384 FROM pg_subscription JOIN pg_database s ON s.oid = subdbid WHERE s.datname = current_database()
  UNION ALL SELECT 16384 FROM pg_namespace n LEFT JOIN pg_init_privs i ON i.objoid = n.oid AND i.classoid = 'pg_namespace'::regclass
    WHERE nspname = 'public' AND nspacl IS DISTINCT FROM initprivs) objects
  WHERE oid >= 16384)"
# Whether a database `d` is still as a restore has created it: empty, and nobody has given it grants or settings.
as_created="datacl IS NULL AND ARRAY['$created_for_restore'] IS NOT DISTINCT FROM
  (SELECT array_agg(setting) FROM pg_db_role_setting, unnest(setconfig) setting WHERE setdatabase = d.oid) AND $nothing_inside"

# Prints what a backup needs to know, one fact per line: a name, a space, a value.
probe() {
  for tool in zstd gzip awk pg_dump pg_restore psql; do
    if command -v "$tool" >/dev/null; then echo "tool $tool"; fi
  done
  # Not echo: in some shells it interprets backslashes.
  version=$(pg_dump --version 2>/dev/null) || version=$(pg_dump --version 2>&1 | tr '\n' ' ')
  printf 'pg-dump %s\n' "$version"
  if [ -n "$misled" ] && [ "${route%%-*}" = own ]; then
    printf 'refuses %s\n' "$misled"
  elif answer=$(ask "SELECT jsonb_build_object(
    'database', current_database(), 'user', current_user, 'serverVersion', current_setting('server_version'),
    'encoding', pg_encoding_to_char(encoding), 'locale', datcollate, 'ctype', datctype,
    'localeProvider', CASE facts->>'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
    'providerLocale', coalesce(facts->>'datlocale', facts->>'daticulocale'), 'icuRules', facts->>'daticurules',
    'bootstrapRole', pg_get_userbyid(10), 'timezone', current_setting('TimeZone'), 'sizeBytes', pg_database_size(oid),
    'isLeftover', $as_created,
    'serverSettings', (SELECT coalesce(jsonb_object_agg(name, setting), '{}') FROM pg_settings
      WHERE name IN ('shared_preload_libraries', 'lc_monetary') OR (name LIKE '%.%'
        AND source IN ('configuration file', 'command line') AND short_desc NOT LIKE 'GUC placeholder%')
        -- What these are set to for this database alone, a restore does not know: it fills a new one, and sets it up at the end.
        OR (name IN ('TimeZone', 'DateStyle', 'IntervalStyle', 'default_text_search_config', 'array_nulls', 'extra_float_digits',
          'xmlbinary', 'transform_null_equals', 'default_toast_compression') AND source NOT IN ('database', 'database user'))),
    'otherDatabases', (WITH others AS (SELECT datname FROM pg_database
        WHERE datallowconn AND NOT datistemplate AND datname <> current_database()
          -- This one is there on every server. What it holds shows only in its size, which grows a little by itself.
          AND CASE WHEN datname <> 'postgres' THEN true
            WHEN has_database_privilege('postgres', 'CONNECT') AND has_database_privilege('template0', 'CONNECT')
            THEN pg_database_size('postgres') > pg_database_size('template0') + 1048576 ELSE false END)
      SELECT jsonb_build_object('count', (SELECT count(*) FROM others),
        'names', (SELECT coalesce(jsonb_agg(datname), '[]') FROM (SELECT datname FROM others ORDER BY datname LIMIT 1000) listed))))
    FROM pg_database d, to_jsonb(d) facts WHERE datname = current_database()" 2>/dev/null); then
    printf 'accepts %s\n' "$answer"
    case $route in place*) printf 'place %s %s\ninstead-of%s\n' "$port" "$socket" "$instead" ;; esac
    case $route in *-password) printf 'password %s\n' "$password" ;; esac
    collations
  else
    # Ask again for the error text. The first time stderr was dropped, since a good answer may come with warnings.
    ask 'SELECT 1' 2>&1 >/dev/null | tr '\n' ' ' | { printf 'refuses '; cat; }
    echo
  fi
}

# The collations by whose older versions something is stored in this database, as one JSON. A library that has since been
# replaced may sort in another order, and what is stored by the old one is then found no more.
collations() {
  printf 'collations '
  (session) <<'SQL' 2>/dev/null || echo
SELECT current_setting('server_version_num')::int >= 150000 AS has_default \gset
\if :has_default
  SELECT coalesce((SELECT jsonb_build_object('recorded', datcollversion, 'actual', pg_database_collation_actual_version(oid))
    FROM pg_database WHERE datname = current_database() AND datcollversion <> pg_database_collation_actual_version(oid)), 'null')
    AS default_collation \gset
\else
  \set default_collation null
\endif
WITH outdated AS (SELECT c.oid, nspname, collname, collversion, pg_collation_actual_version(c.oid) AS actual
    FROM pg_collation c JOIN pg_namespace n ON n.oid = collnamespace WHERE collversion <> pg_collation_actual_version(c.oid)),
  -- Ranges of text have a collation of their own; an index over them has none.
  used AS (SELECT unnest(indcollation) AS oid FROM pg_index UNION SELECT unnest(partcollation) FROM pg_partitioned_table
    UNION SELECT rngcollation FROM pg_range WHERE rngcollation IN (SELECT oid FROM outdated)
      AND EXISTS (SELECT FROM pg_index JOIN pg_attribute ON attrelid = indexrelid WHERE atttypid = rngtypid)),
  -- 100 is the database's own.
  partitioned AS (SELECT nspname, relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = partrelid
      JOIN pg_namespace n ON n.oid = relnamespace
    WHERE partstrat = 'r' AND EXISTS (SELECT FROM unnest(partcollation) key WHERE key IN (SELECT oid FROM outdated)
      OR (key = 100 AND :'default_collation' <> 'null')))
SELECT jsonb_build_object('default', :'default_collation'::jsonb,
  'others', (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', nspname, 'name', collname, 'recorded', collversion,
    'actual', actual) ORDER BY nspname, collname), '[]') FROM outdated WHERE oid IN (SELECT oid FROM used)),
  'partitioned', (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', nspname, 'name', relname) ORDER BY nspname, relname), '[]')
    FROM (SELECT * FROM partitioned ORDER BY nspname, relname LIMIT 100) listed));
SQL
}

ask() { psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

# Statements on stdin, answers on stdout, for as long as the caller keeps both open.
session() { exec psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

# dump FORMAT COMPRESSION LEVEL SNAPSHOT LOCK-WAIT-MS: the dump on stdout. Exit 31: pg_dump failed; 32: the compressor.
dump() {
  encoding=$(encoding) || exit 31
  set -- "$1" "$2" "$3" --encoding="$encoding" --snapshot="$4" --lock-wait-timeout="$5" --no-password
  case $1-$2 in
    custom-gzip) set -- cat "$3" "$@" --format=custom --compress="$3" ;;
    custom-zstd) set -- compress_zstd "$3" "$@" --format=custom --compress=0 ;;
    custom-*) set -- cat "$3" "$@" --format=custom --compress=0 ;;
    plain-gzip) set -- compress_gzip "$3" "$@" --format=plain ;;
    plain-zstd) set -- compress_zstd "$3" "$@" --format=plain ;;
    plain-*) set -- cat "$3" "$@" --format=plain ;;
  esac
  compressor=$1 level=$2
  shift 5
  [ "$compressor" = cat ] && { buffered pg_dump "$@" || exit 31; exit 0; }
  # Collects the exit code of each stage, since sh has no PIPESTATUS.
  exec 4>&1
  exits=$({ { buffered pg_dump "$@" 3>&-; echo "dump $?" >&3; } 4>&- | { "$compressor" "$level" 3>&-; echo "compressor $?" >&3; } 4>&- |
    in_large_blocks >&4 3>&-; } 3>&1) || exit 32
  case $exits in *'compressor 0'*) ;; *) exit 32 ;; esac
  case $exits in *'dump 0'*) ;; *) exit 31 ;; esac
}

# Docker passes a stream through three processes; large blocks make that cheaper. Of 1 to 32 MiB, this was the fastest.
in_large_blocks() { dd bs=8388608 iflag=fullblock 2>/dev/null; }

# PostgreSQL's programs read and write pipes 4 KiB at a time, which costs a tenth of the time of a dump. Try stdbuf first:
# an image may have the program without its library.
buffered() {
  if stdbuf -i64K -o64K true 2>/dev/null; then stdbuf -i64K -o64K "$@"; else "$@"; fi
}

# At the lowest level one core is faster than pg_dump; threads would only add overhead.
compress_zstd() { if [ "$1" = 1 ]; then zstd -q -c --single-thread -1; else zstd -q -c -T0 "-$1"; fi; }
compress_gzip() { gzip -n -c "-$1"; }

# schema LOCK-WAIT-MS [SNAPSHOT]: without tablespaces, which are folders of this machine.
schema() {
  encoding=$(encoding) || exit
  exec pg_dump --schema-only --no-tablespaces --encoding="$encoding" --lock-wait-timeout="$1" ${2:+"--snapshot=$2"} --no-password
}

# The database's own. Without being told, pg_dump writes in that of the session, which a setting of a database or a role may have made
# one that lacks some of the characters.
encoding() { ask 'SELECT getdatabaseencoding()'; }

# Roles and their settings, without passwords.
globals() { exec pg_dumpall --globals-only --no-role-passwords --no-password; }

# Properties of the database itself, which a dump without --create leaves out: its owner, grants, comment and settings. A
# superuser runs this SQL when the database is put in place, so every value that others chose is quoted, as pg_dump does:
# a list element by element, or as a whole if it cannot be read as a list.
# settings [NAME]: for a database of this name, if it is not the same.
settings() {
  # Not with -c: before version 15, psql shows only the last answer.
  session -v name="${1:-}" <<'SQL'
SELECT coalesce(nullif(:'name', ''), current_database()) AS name \gset
SET client_encoding = 'UTF8';
SELECT 'SET client_encoding = ''UTF8'';' UNION ALL SELECT 'SET standard_conforming_strings = on;';
SELECT format('ALTER DATABASE %I OWNER TO %I;', :'name', pg_get_userbyid(datdba)) FROM pg_database
  WHERE datname = current_database();
SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s;', :'name', datconnlimit) FROM pg_database
  WHERE datname = current_database() AND datconnlimit >= 0;
SELECT format('COMMENT ON DATABASE %I IS %L;', :'name', shobj_description(oid, 'pg_database')) FROM pg_database
  WHERE datname = current_database() AND shobj_description(oid, 'pg_database') IS NOT NULL;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I;', :'name', pg_get_userbyid(datdba)) FROM pg_database
  WHERE datname = current_database() AND datacl IS NOT NULL;
-- Each as whoever granted it, since what somebody grants goes with their own right; and after what gave them the right to.
WITH RECURSIVE grants AS (
    SELECT datdba, each.* FROM pg_database, aclexplode(datacl) each WHERE datname = current_database()),
  given AS (
    SELECT grants.*, 0 AS step FROM grants WHERE grantor = datdba
    UNION
    SELECT passed.*, step + 1 FROM given JOIN grants passed
      ON given.is_grantable AND passed.grantor = given.grantee AND passed.privilege_type = given.privilege_type)
SELECT CASE WHEN min(step) > 0 THEN format(E'SET SESSION AUTHORIZATION %I;\n', pg_get_userbyid(grantor)) ELSE '' END
    || format('GRANT %s ON DATABASE %I TO %s%s;', privilege_type, :'name',
      CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
      CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
    || CASE WHEN min(step) > 0 THEN E'\nRESET SESSION AUTHORIZATION;' ELSE '' END
  FROM grants LEFT JOIN given USING (datdba, grantor, grantee, privilege_type, is_grantable)
  GROUP BY grantor, grantee, privilege_type, is_grantable ORDER BY min(step), grantee, privilege_type;
SELECT format('ALTER %sDATABASE %I SET %I TO %s;',
    CASE WHEN setrole <> 0 THEN format('ROLE %I IN ', pg_get_userbyid(setrole)) END, :'name', name,
    CASE WHEN lower(name) IN ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries',
        'shared_preload_libraries', 'unix_socket_directories')
      AND value ~ '^[[:space:]]*(("([^"]|"")*"|[^",[:space:]][^,[:space:]]*)[[:space:]]*(,[[:space:]]*("([^"]|"")*"|[^",[:space:]][^,[:space:]]*)[[:space:]]*)*)?$'
    THEN coalesce((SELECT string_agg(quote_literal(CASE WHEN element[1] ~ '^"'
        THEN replace(substr(element[1], 2, length(element[1]) - 2), '""', '"') ELSE element[1] END), ', ' ORDER BY place)
      FROM regexp_matches(value, '"(?:[^"]|"")*"|[^",[:space:]][^,[:space:]]*', 'g') WITH ORDINALITY AS elements (element, place)), quote_literal(''))
    ELSE quote_literal(value) END)
  FROM pg_db_role_setting s, pg_database d, unnest(setconfig) setting,
    LATERAL (SELECT split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)) pair(name, value)
  WHERE d.oid = setdatabase AND datname = current_database() AND name NOT IN ('atlasia.created', 'atlasia.restore') ORDER BY setrole <> 0, pg_get_userbyid(setrole), name;
SQL
}

# settings_and_globals MARK: what `settings` prints, a line of MARK and its exit code, then the same of `globals`. In one, as every
# command in a container takes its time.
settings_and_globals() {
  (settings '')
  printf '%s %s\n' "$1" "$?"
  (globals)
  printf '%s %s\n' "$1" "$?"
}

# verify FORMAT COMPRESSION: reads a whole dump on stdin; prints the exit code of each stage. Reads an archive entry by
# entry, as a restore would; a plain dump must end with pg_dump's last line.
# Several stages write lines into one pipe, so awk must flush each line; a block could end in the middle of one.
verify() {
  format=$1
  case $1-$2 in
    *-zstd) set -- zstd -d -v --no-progress -c ;;
    plain-gzip) set -- gzip -d -c ;;
    *) set -- cat ;;
  esac
  { { { { "$@" 2>&1 >&4 4>&- 3>&-; echo "decompress $?" >&3; } | said >&3 4>&-; } 4>&1 | {
    case $format in
      custom) buffered pg_restore -f /dev/null ;;
      plain) awk '{ bytes += length($0) + 1 }
        /^-- Data for Name: / { print "entry " $0; fflush() }
        $0 == "-- PostgreSQL database dump complete" { complete = 1; next }
        NF && $0 != "--" && !/^\\unrestrict / { complete = 0 }
        END { printf "bytes %.0f\n", bytes; exit !complete }' >&3 ;;
    esac
    echo "read $?" >&3
    cat >/dev/null
  }; }; } 3>&1 >/dev/null
}

# Reads the messages of a decompressor. zstd reports the number of bytes at the end, which saves a stage for counting.
said() {
  while read -r line; do
    case $line in
      *': '*[0-9]' bytes'*)
        line=${line##*: }
        echo "bytes ${line%% bytes*}"
        ;;
      '*** '*) ;;
      *) echo "$line" >&2 ;;
    esac
  done
}

# contents COMPRESSION: lists the contents of an archive on stdin. What is wrong with it, `verify` says.
contents() {
  case $1 in
    zstd) zstd -q -d -c | pg_restore --list ;;
    *) pg_restore --list ;;
  esac 2>/dev/null
}

# parse FORMAT COMPRESSION: reads a whole dump on stdin. Of an archive, it prints the contents, then `list` and the exit code of that;
# of both formats, what `verify` prints. In one, too.
parse() {
  [ "$1" = custom ] || { verify "$@"; return; }
  exec 6>&1
  # The list ends where the data begin: whoever copies the stream must not end with it. The group keeps fd 5 open until the list is
  # printed, and only then the lines of `verify` follow: no name in an archive can pass for one of these.
  { { trap '' PIPE && exec tee /dev/fd/5 2>/dev/null; } | { contents "$2" >&6; echo "list $?" >&6; }; } 5>&1 |
    { stages=$(verify "$@"); cat >/dev/null; printf '%s\n' "$stages"; }
}

# terminate NAME...: ends the sessions with these names in this database.
terminate() {
  psql -XAtq -v ON_ERROR_STOP=1 -v names="$(printf '%s,' "$@")" <<'SQL'
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = ANY (string_to_array(:'names', ','));
SQL
}

# waits during|after NAME: who holds an exclusive lock on a table, or waits for one before us, one line of JSON each. `during`:
# only on tables that a session with this name waits for.
waits() {
  psql -XAtq -v ON_ERROR_STOP=1 -v moment="$1" -v name="$2" <<'SQL'
SELECT jsonb_build_object('schema', nspname, 'table', relname, 'granted', l.granted, 'pid', l.pid,
    'application', application_name, 'state', state, 'gid', gid, 'database', datname, 'seconds',
    greatest(0, floor(extract(epoch FROM now() - coalesce(prepared, CASE WHEN state LIKE 'idle%' THEN state_change END, query_start)))))
  FROM pg_locks l JOIN pg_database d ON d.oid = l.database JOIN pg_class c ON c.oid = l.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN (SELECT pid AS session, application_name, state, state_change, query_start FROM pg_stat_activity) a ON session = l.pid
  LEFT JOIN (SELECT virtualtransaction AS holder, gid, prepared FROM pg_prepared_xacts
    JOIN pg_locks x ON x.locktype = 'transactionid' AND x.pid IS NULL AND x.transactionid = transaction) p
    ON l.pid IS NULL AND holder = l.virtualtransaction
  WHERE datname = current_database() AND locktype = 'relation' AND mode = 'AccessExclusiveLock' AND relkind IN ('r', 'p', 'm', 'f', 'S')
    -- A session may lock its temporary tables, and nobody else waits for that.
    AND relpersistence <> 't'
    AND (:'moment' = 'after' OR relation IN (SELECT w.relation FROM pg_locks w JOIN pg_stat_activity o ON o.pid = w.pid
      WHERE NOT w.granted AND w.locktype = 'relation' AND w.database = d.oid AND o.application_name = :'name'))
  ORDER BY l.granted DESC, nspname, relname LIMIT 3;
SQL
}
