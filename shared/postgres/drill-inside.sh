# shellcheck shell=sh
# Runs inside the scratch container of a drill, in whatever shell it has: `inside VERB ARGUMENT...`. Only these programs
# can reach the server there, through a socket of its own.

export LC_ALL=C PGHOST=/tmp/drill PGUSER=atlasia_drill PGDATABASE="${PGDATABASE:-postgres}"
# If the time zone is unknown, use the server's own.
[ -n "${PGTZ:-}" ] || unset PGTZ
# Settings of the database must not change our role, the functions our statements call, or how long they may take.
export PGOPTIONS='-c role=none -c search_path=pg_catalog -c statement_timeout=0 -c lock_timeout=0'
data=/tmp/drill/data

# Free bytes on the disk of the data.
room() { df -P -k /tmp | { read -r _ && read -r _ _ _ free _ && echo "$((free * 1024))"; }; }

# few_files NUMBER: succeeds if fewer files can still be created there (on a file system that limits them).
few_files() {
  df -P -i /tmp 2>/dev/null | { read -r _ && read -r _ all _ free _ && [ "$all" -gt 0 ] 2>/dev/null && [ "$free" -lt "$1" ]; }
}

# room_below BYTES: waits until fewer bytes are free, or hardly any file can be created; then prints the free bytes. Nothing
# else ends it except the end of the container.
room_below() {
  while free=$(room) && [ "$free" -ge "$1" ] && ! few_files 10000; do sleep 0.2 2>/dev/null || sleep 1; done
  printf '%s\n' "$free"
}

# prepare DATABASE OPTION...: starts a new server, tuned for speed since its data can be lost, and creates a database like
# the source and the roles on stdin. Prints the available decompressors.
prepare() {
  database=$1
  shift
  for tool in initdb pg_ctl createdb dropdb psql pg_dump pg_restore awk; do
    command -v "$tool" >/dev/null || {
      echo "The image has no $tool" >&2
      exit 1
    }
  done
  mkdir -m 700 /tmp/drill || exit
  { initdb --pgdata="$data" --username="$PGUSER" --auth=trust --encoding=UTF8 --no-locale --no-sync &&
    pg_ctl --pgdata="$data" --log=/tmp/drill/server.log --timeout=120 --wait --options="-c listen_addresses='' \
      -c unix_socket_directories=/tmp/drill -c fsync=off -c full_page_writes=off -c autovacuum=off \
      -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=512MB -c maintenance_work_mem=128MB \
      -c max_connections=10 -c max_locks_per_transaction=10000" start &&
    dropdb --if-exists --maintenance-db=template1 -- "$database" &&
    createdb --maintenance-db=template1 --template=template0 "$@" -- "$database"; } \
    </dev/null >/tmp/drill/log 2>&1 || {
    tail -n 5 /tmp/drill/log >&2
    exit 1
  }
  tolerant 2>/dev/null
  for tool in zstd gzip; do
    if command -v "$tool" >/dev/null; then echo "tool $tool"; fi
  done
}

# Runs statements on stdin. Some may fail: roles that already exist, tablespaces of another machine.
tolerant() { PGDATABASE=template1 psql -XAtq >/dev/null; }

# restore FORMAT COMPRESSION ARGUMENT: restores the dump on stdin into a database; ARGUMENT is its name for --dbname.
# Exit 41: it cannot be restored; 42: it cannot be decompressed; 43: a plain dump does not end with pg_dump's last line.
restore() {
  argument=$3
  case $1-$2 in
    *-zstd) unpack='zstd -q -d -c' ;;
    plain-gzip) unpack='gzip -d -c' ;;
    *) unpack='cat' ;;
  esac
  # Collects the exit code of each stage, since sh has no PIPESTATUS. After an error the rest of the input is still read.
  exits=$({ { $unpack; echo "unpack $?" >&3; } | { "load_$1" >&2; echo "load $?" >&3; cat >/dev/null; }; } 3>&1)
  case $exits in *'unpack 0'*) ;; *) exit 42 ;; esac
  case $exits in *'load 0'*) ;; *) exit 41 ;; esac
  case $exits in *'whole 1'*) exit 43 ;; esac
}

# Without tablespaces: they are folders of another machine.
load_custom() { buffered pg_restore --exit-on-error --no-tablespaces --dbname="$argument"; }

# psql cannot tell truncated input from complete input.
load_plain() {
  { whole || echo 'whole 1' >&3; } | buffered psql -XAtq -v ON_ERROR_STOP=1 --output=/dev/null --dbname="$argument"
}

# Copies a plain dump; fails if it does not end with pg_dump's last line.
whole() {
  awk '{ print } $0 == "-- PostgreSQL database dump complete" { complete = 1; next }
    NF && $0 != "--" && !/^\\unrestrict / { complete = 0 }
    END { exit !complete }'
}

buffered() {
  if stdbuf -i64K -o64K true 2>/dev/null; then stdbuf -i64K -o64K "$@"; else "$@"; fi
}

# Statements on stdin, answers on stdout. Time limits and event triggers of the database must not apply to this session.
session() {
  PGOPTIONS="$PGOPTIONS -c default_transaction_read_only=off -c session_replication_role=replica"
  exec psql -XAtq -v ON_ERROR_STOP=1
}

# The last line is the exit code, which the reader could not see otherwise.
schema() {
  pg_dump --schema-only --no-password
  echo "exit $?"
}

# Ends all other sessions: nobody is waiting for their answers any more.
silence() {
  psql -XAtq -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
}

# Checks every index: PostgreSQL's own flag, and amcheck if the image has it.
indexes() {
  session <<'SQL'
-- Not every version has all of them.
SELECT count(set_config(name, '0', false)) AS switched_off FROM pg_settings
  WHERE name IN ('transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout')
\gset
SELECT 'invalid ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid;
SELECT count(*) > 0 AS has_amcheck FROM pg_available_extensions WHERE name = 'amcheck'
\gset
\if :has_amcheck
SET client_min_messages = error;
CREATE SCHEMA atlasia_drill;
CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA atlasia_drill;
SELECT nspname AS home FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'amcheck'
\gset
SELECT 'checked ' || count(:"home".bt_index_check(i.indexrelid::regclass))
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
  WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisvalid;
\else
SELECT 'unchecked';
\endif
SQL
}

# Creates a role that can read everything and do nothing else, for statements that we did not write.
reader() {
  session <<'SQL'
CREATE ROLE atlasia_drill_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;
SELECT format('GRANT CONNECT ON DATABASE %1$I TO atlasia_drill_reader; ALTER DATABASE %1$I CONNECTION LIMIT -1', current_database())
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

"$@"
