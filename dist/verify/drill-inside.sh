# shellcheck shell=sh
# Runs inside the scratch container of a drill, in whatever shell it has, followed by load-inside.sh: `inside VERB ARGUMENT...`.
# Only these programs can reach the server there, through a socket of its own.

export LC_ALL=C PGHOST=/tmp/drill PGUSER=atlasia_drill PGDATABASE="${PGDATABASE:-postgres}"
# If the time zone is unknown, use the server's own.
[ -n "${PGTZ:-}" ] || unset PGTZ
# What the database and its roles set must not change our role, the functions our statements call, how long they may take, what
# they load, how pg_dump writes, or what else is said beside errors: inside.sh pins the same where a dump is taken.
export PGOPTIONS='-c role=none -c search_path=pg_catalog -c statement_timeout=0 -c lock_timeout=0
  -c standard_conforming_strings=on -c quote_all_identifiers=off -c bytea_output=hex
  -c session_preload_libraries= -c local_preload_libraries= -c lc_messages=C -c client_min_messages=error'
# Nor what its event triggers do when somebody logs in: they may write into the tables that are compared. They came with version 17.
# Not while it is restored: materialized views are filled when all triggers are there, and one that forbids that does so with the
# commands that are printed, too.
[ "${1:-}" = fill ] || {
  version=$(initdb --version 2>/dev/null | head -c 64) && version=${version#*) } && [ "${version%%[!0-9]*}" -ge 17 ] 2>/dev/null &&
    PGOPTIONS="$PGOPTIONS -c event_triggers=off"
}
data=/tmp/drill/data log=/tmp/drill/log

# prepare DATABASE ROLE MONETARY CONFIGURATION NUMBER LIBRARY... OPTION...: starts a new server, tuned for speed since its data
# can be lost, and creates a database like the source and the roles on stdin. ROLE is the first superuser of the source, MONETARY
# its lc_monetary; CONFIGURATION lines of postgresql.conf; the NUMBER of LIBRARIES are loaded at the server's start. Each may be
# empty. Prints the available decompressors, and what the image lacks.
prepare() {
  database=$1 role=${2:-$PGUSER} monetary=$3 configuration=$4 number=$5 libraries=''
  shift 5
  while [ "$number" -gt 0 ]; do
    libraries=$(printf '%s\n%s' "$1" "$libraries")
    number=$((number - 1))
    shift
  done
  for tool in initdb pg_ctl createdb dropdb psql pg_dump pg_restore awk; do
    command -v "$tool" >/dev/null || {
      echo "The image has no $tool" >&2
      exit 1
    }
  done
  mkdir -m 700 /tmp/drill || exit
  # Else initdb reads all time zones there are, to find out which one the system has.
  [ -e /etc/localtime ] || export TZ="${TZ:-UTC}"
  initdb --pgdata="$data" --username="$role" --auth=trust --encoding=UTF8 --no-locale --no-sync </dev/null >$log 2>&1 ||
    not_prepared
  printf "%s\ninclude 'libraries.conf'\n" "$configuration" >>"$data/postgresql.conf"
  start_loading "$libraries"
  PGUSER=$role create "$@" -- "$database" </dev/null >>$log 2>&1 || not_prepared
  {
    echo 'CREATE ROLE atlasia_drill SUPERUSER LOGIN; SET SESSION AUTHORIZATION atlasia_drill;'
    cat
  } | PGUSER=$role tolerant 2>/dev/null
  # The roles may have taken from the first one what it needs for a restore.
  psql -XAtq -d template1 -v role="$role" -v monetary="$monetary" >>$log 2>&1 <<'SQL' || echo 'lacks lc_monetary'
ALTER ROLE :"role" SUPERUSER LOGIN CONNECTION LIMIT -1 VALID UNTIL 'infinity';
ALTER ROLE :"role" RESET ALL;
SELECT :'monetary' <> '' AS has_monetary
\gset
\if :has_monetary
\set ON_ERROR_STOP on
ALTER SYSTEM SET lc_monetary = :'monetary';
SELECT pg_reload_conf();
\endif
SQL
  for tool in zstd gzip; do
    if command -v "$tool" >/dev/null; then echo "tool $tool"; fi
  done
}

# create OPTION... -- DATABASE: only template0 has nothing of its own. Every new server has a database `postgres`.
create() {
  [ "$database" != postgres ] || dropdb --if-exists --maintenance-db=template1 -- "$database" || return
  createdb --maintenance-db=template1 --template=template0 "$@"
}

# Ends `prepare`, with the last words of what failed.
not_prepared() {
  tail -n 5 $log >&2
  exit 1
}

# start_loading LIBRARIES: starts the server with these, one a line, without those that it says it cannot load. Prints what was
# left out. If the server does not start for another reason, nothing is said to be lacking.
start_loading() {
  libraries=$1
  until start_server "$libraries"; do
    lacking=$(printf '%s\n' "$libraries" | while read -r library; do
      name=${library##*/}
      if grep -F -q -e "access file \"$library\"" -e "library \"$library\"" -e "/${name%.so}.so\"" $log; then printf '%s\n' "$library"; fi
    done)
    [ -n "$lacking" ] || not_prepared
    printf '%s\n' "$lacking" | sed 's/^/lacks library /'
    libraries=$(printf '%s\n' "$libraries" | grep -F -x -v -e "$lacking")
  done
}

start_server() {
  printf "shared_preload_libraries = '%s'\n" "$(printf %s "$1" | tr '\n' ,)" >"$data/libraries.conf"
  pg_ctl --pgdata="$data" --log=$log --timeout=120 --wait --options="-c listen_addresses='' \
    -c unix_socket_directories=/tmp/drill -c fsync=off -c full_page_writes=off -c autovacuum=off \
    -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=512MB -c maintenance_work_mem=128MB \
    -c max_connections=10 -c max_locks_per_transaction=10000" start </dev/null >>$log 2>&1
}

# Runs statements on stdin. Some may fail: roles that already exist, tablespaces of another machine.
tolerant() { PGDATABASE=template1 psql -XAtq >/dev/null; }

buffered() {
  if stdbuf -i64K -o64K true 2>/dev/null; then stdbuf -i64K -o64K "$@"; else "$@"; fi
}

# Statements on stdin, answers on stdout. Time limits and event triggers of the database must not apply to this session.
session() {
  PGOPTIONS="$PGOPTIONS -c default_transaction_read_only=off -c session_replication_role=replica"
  exec psql -XAtq -v ON_ERROR_STOP=1 "$@"
}

# Applies the settings of the database on stdin, and dumps its schema, in the database's encoding as inside.sh does. In one, as every
# command in a container takes its time. No more than a name is held here: what was restored may write into the answer without an end,
# and without an encoding there is no dump.
schema() {
  tolerant 2>/dev/null || true
  encoding=$(psql -XAtqc 'SELECT getdatabaseencoding()' | head -c 64)
  exec pg_dump --schema-only --no-tablespaces --encoding="$encoding" --no-password
}

# renew DATABASE OPTION...: puts an empty database in the place of the restored one, under its name: some extensions can live only
# there. The restored one is put aside and not dropped, which PostgreSQL refuses if it has a subscription.
renew() {
  database=$1
  shift
  PGDATABASE=$database silence >/dev/null
  psql -XAtq -v ON_ERROR_STOP=1 -d template1 -v database="$database" <<'SQL' && create "$@" -- "$database"
ALTER DATABASE :"database" RENAME TO atlasia_drill_restored;
SQL
}

# Prints how many processes the kernel has killed here because memory ran out.
kills() {
  cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null |
    while read -r name count; do [ "$name" != oom_kill ] || echo "$count"; done
}

# Whether anything that was restored is of type money.
money() {
  session <<'SQL'
WITH RECURSIVE kinds AS (
  SELECT 'money'::regtype::oid AS kind UNION SELECT oid FROM pg_type JOIN kinds ON kind IN (typbasetype, typelem)
) SELECT count(*) > 0 FROM pg_attribute JOIN kinds ON kind = atttypid WHERE attnum > 0;
SQL
}

# Ends all other sessions: nobody is waiting for their answers any more.
silence() {
  psql -XAtq -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
}

# Checks every index: PostgreSQL's own flag, and amcheck if the image has it. An error of one does not hide the others. An index
# of a partitioned table holds nothing, and is invalid in the source as well until each partition has its part.
indexes() {
  session -v ON_ERROR_STOP=0 <<'SQL'
-- Not every version has all of them.
SELECT count(set_config(name, '0', false)) AS switched_off FROM pg_settings
  WHERE name IN ('transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout')
\gset
SET client_min_messages = error;
SELECT 'invalid ' || indexrelid::regclass FROM pg_index JOIN pg_class c ON c.oid = indexrelid
  WHERE NOT indisvalid AND relkind = 'i';
-- Some fire for superusers and replicas too.
SELECT format('ALTER EVENT TRIGGER %I DISABLE', evtname) FROM pg_event_trigger WHERE evtenabled <> 'D'
\gexec
-- Not as an extension: what is counted meanwhile must not see it.
SELECT count(*) > 0 AS has_amcheck FROM pg_available_extensions WHERE name = 'amcheck'
\gset
\if :has_amcheck
CREATE FUNCTION pg_temp.bt_index_check(regclass) RETURNS void LANGUAGE c STRICT AS '$libdir/amcheck', 'bt_index_check';
SELECT :'SQLSTATE' = '00000' AS has_amcheck
\gset
\endif
\if :has_amcheck
\set VERBOSITY verbose
SELECT 'reading ' || count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
  WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisvalid;
SELECT format('SELECT FROM pg_temp.bt_index_check(%L::regclass) HAVING count(*) > 1', i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
  WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisvalid
\gexec
SELECT 'end';
\else
SELECT 'unchecked';
\endif
SQL
}

# Creates a role that can read everything and do nothing else, for statements that we did not write.
reader() {
  session <<'SQL'
CREATE ROLE atlasia_drill_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;
SELECT format('GRANT CONNECT ON DATABASE %1$I TO atlasia_drill_reader; ALTER DATABASE %1$I CONNECTION LIMIT -1;
  ALTER DATABASE %1$I RESET session_preload_libraries; ALTER DATABASE %1$I RESET local_preload_libraries;
  ALTER ROLE ALL RESET session_preload_libraries; ALTER ROLE ALL RESET local_preload_libraries', current_database())
\gexec
SELECT format('GRANT USAGE ON SCHEMA %1$I TO atlasia_drill_reader; GRANT SELECT ON ALL TABLES IN SCHEMA %1$I TO atlasia_drill_reader; GRANT SELECT ON ALL SEQUENCES IN SCHEMA %1$I TO atlasia_drill_reader', nspname)
  FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
\gexec
SQL
}

# assert STATEMENT: prints its result. The comment in front keeps psql from taking any part of it for a psql command.
assert() {
  PGUSER=atlasia_drill_reader PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout=600000' \
    psql -XAtq -v ON_ERROR_STOP=1 -c "/* drill-sql */ $1"
}
