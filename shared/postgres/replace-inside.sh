# shellcheck shell=sh disable=SC2154 # `argument` comes from load-inside.sh
# Follows inside.sh and load-inside.sh, in the database container: a database is restored beside the one that is live, and then the
# two exchange their names. LIVE, RESTORED and ASIDE are the names of the live database, of the restored one until it takes that
# name, and of the old one afterwards. Which of the three are there tells how far it has come, whoever died in between.

# Nobody has a reason to be connected to this one for long.
maintenance=template1
# How long a statement waits for others. Whoever made the server read-only, so that nobody writes meanwhile, does not mean us.
PGOPTIONS="$PGOPTIONS -c lock_timeout=10000 -c default_transaction_read_only=off"

# over_all [OPTION...]: statements on stdin, in a database that is none of the three.
over_all() { PGDATABASE=$maintenance psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

# Has our sessions set off no event trigger when they log in, as version 17 can: it may write into the tables that are compared, or
# refuse us.
without_logins() {
  version=$(over_all -c 'SHOW server_version_num') || return
  [ "$version" -lt 170000 ] || PGOPTIONS="$PGOPTIONS -c event_triggers=off"
}

# unnoticed VERB ARGUMENT...: a verb whose sessions are in a restored database.
unnoticed() { without_logins && "$@"; }

# Where the write-ahead log lies, as SQL: its folder may be a link to another disk.
wal_folder="current_setting('data_directory') || '/pg_wal/.'"
# The folders of its tablespaces `t`: SQL text names those into which it restores.
tablespace_folders="SELECT CASE WHEN place LIKE '/%' THEN place ELSE current_setting('data_directory') || coalesce('/' || nullif(place, ''), '') END
  FROM pg_tablespace t, pg_tablespace_location(t.oid) place WHERE spcname <> 'pg_global'"

# Prints what a restore must know of the server, as one JSON; then how many bytes are free on the disk of the database, on that of the
# write-ahead log, which a restore fills as well, and in the tablespace with the least of the others, or `none` if there is no other.
standing() {
  (session -v wal_folder="$wal_folder" -v tablespace_folders="$tablespace_folders") <<'SQL' | {
SELECT current_setting('is_superuser') = 'on' AS is_superuser \gset
\if :is_superuser
  SELECT coalesce(jsonb_agg(subname), '[]') AS subscriptions FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid
    WHERE datname = current_database() \gset
  SELECT coalesce(nullif(pg_tablespace_location(dattablespace), ''), current_setting('data_directory')) AS folder,
    :wal_folder AS wal
    FROM pg_database WHERE datname = current_database() \gset
\else
  \set subscriptions null
  \set folder /
  \set wal /
\endif
SELECT jsonb_build_object('isSuperuser', :'is_superuser'::boolean, 'subscriptions', :'subscriptions'::jsonb, 'dataFolder', :'folder',
  'isStandby', pg_is_in_recovery(), 'labels', (SELECT coalesce(jsonb_agg(provider ORDER BY provider), '[]') FROM pg_shseclabel
    WHERE classoid = 'pg_database'::regclass AND objoid = d.oid),
  'elsewhere', (SELECT coalesce(jsonb_agg(DISTINCT other.spcname), '[]') FROM pg_class JOIN pg_tablespace other ON other.oid = reltablespace
    WHERE NOT relisshared),
  'connectionLimit', datconnlimit, 'tablespace', spcname, 'cronDatabase', current_setting('cron.database_name', true),
  'isEmpty', NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE relkind IN ('r', 'p', 'm', 'f', 'S', 'v') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'))
    AND NOT EXISTS (SELECT FROM pg_largeobject_metadata),
  'prepared', (SELECT coalesce(jsonb_agg(gid ORDER BY gid), '[]') FROM pg_prepared_xacts WHERE database = datname),
  'slots', (SELECT coalesce(jsonb_agg(slot_name ORDER BY slot_name), '[]') FROM pg_replication_slots WHERE database = datname),
  'roles', (SELECT jsonb_agg(rolname ORDER BY rolname) FROM pg_roles),
  'extensions', (SELECT coalesce(jsonb_agg(name ORDER BY name), '[]') FROM pg_available_extensions),
  'sessions', (SELECT coalesce(jsonb_agg(jsonb_build_object('address', address, 'application', application, 'count', sessions)), '[]')
    FROM (SELECT host(client_addr) AS address, substr(application_name, 1, 100) AS application, count(*) AS sessions
      FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
      GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 200) listed))
  FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = current_database();
\echo :folder
\echo :wal
\if :is_superuser
:tablespace_folders AND t.oid NOT IN (SELECT dattablespace FROM pg_database WHERE datname = current_database());
\endif
SQL
    IFS= read -r facts && IFS= read -r folder && IFS= read -r wal && printf '%s\n' "$facts" || return
    set --
    while IFS= read -r place; do set -- "$@" "$place"; done
    room "$folder" || echo unknown
    room "$wal" || echo unknown
    if [ "$#" -gt 0 ]; then room "$@" || echo unknown; else echo none; fi
  }
}

# Prints `missing` and the name of this database if the server does not have it.
missing() {
  over_all -v name="$PGDATABASE" <<'SQL'
SELECT 'missing ' || :'name' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name');
SQL
}

# create_missing: creates it if it is missing, and marks it: whoever has it created may be killed before it is of any use. A restore
# gives what replaces it an owner, grants and settings. Prints `created` and its name; or `plain-user` or `standby` and the name if
# that could not create and mark it. It has its name and the mark at once, or not at all; until then it is called as the copies
# which `sweep` drops.
create_missing() {
  lacks=$(missing) || return
  [ -n "$lacks" ] || return 0
  able=$(over_all -c "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby'
    WHEN current_setting('is_superuser') = 'on' THEN 'created' ELSE 'plain-user' END") || return
  [ "$able" != created ] || create_marked || return
  printf '%s %s\n' "$able" "$PGDATABASE"
}

# A name that `sweep` knows. The server shortens one that is too long by whole characters, as `nameWith` does.
name_for_now() {
  over_all -v name="$PGDATABASE" <<'SQL'
SELECT substr((repeat('x', 17) || :'name')::name::text, 18) || '_restore_' || lpad(to_hex((random() * 4294967295)::bigint), 8, '0');
SQL
}

create_marked() {
  copy=$(name_for_now) || return
  over_all -v copy="$copy" <<'SQL' || return
CREATE DATABASE :"copy" TEMPLATE template0 ALLOW_CONNECTIONS false CONNECTION LIMIT 0;
SQL
  over_all --single-transaction -v copy="$copy" -v name="$PGDATABASE" -v mark="${created_for_restore#*=}" <<'SQL' && return
ALTER DATABASE :"copy" RENAME TO :"name";
ALTER DATABASE :"name" SET atlasia.created = :'mark';
ALTER DATABASE :"name" ALLOW_CONNECTIONS true CONNECTION LIMIT -1;
SQL
  drop_copy "$copy" "$PGDATABASE" || true
  return 1
}

# drop_created: drops it again, and prints `dropped`; or why it did not: it is `gone` already, or no longer as it was created
# (`not-empty`), another restore fills a copy that is to replace it (`restoring`), or somebody is connected (`in-use`).
drop_created() {
  lacks=$(missing) || return
  [ -z "$lacks" ] || { echo gone && return; }
  state=$(ask "SELECT d.oid, $as_created FROM pg_database d WHERE datname = current_database()") || return
  case $state in *'|t') ;; *) echo not-empty && return ;; esac
  copies=$(copies_under_way) || return
  [ -z "$copies" ] || { echo restoring && return; }
  # A restore may have given its name to another meanwhile. Nobody exchanges names while we have this lock.
  over_all -v name="$PGDATABASE" -v oid="${state%|t}" <<'SQL' || echo in-use
SET statement_timeout = 20000;
SELECT pg_advisory_lock(hashtext('atlasia.restore')) IS NULL AS locked \gset
SELECT EXISTS (SELECT FROM pg_database WHERE oid = :oid AND datname = :'name') AS is_same \gset
\if :is_same
DROP DATABASE :"name";
SELECT 'dropped';
\else
SELECT 'not-empty';
\endif
SQL
}

# Prints how many restored databases are to replace this one; nothing if there is none. See `mark`.
copies_under_way() {
  over_all -v name="$PGDATABASE" <<'SQL'
SELECT count(*) FROM pg_database d JOIN pg_db_role_setting ON setdatabase = d.oid AND setrole = 0
  WHERE setconfig && ARRAY['atlasia.restore=incomplete, for ' || :'name', 'atlasia.restore=complete, for ' || :'name'] HAVING count(*) > 0;
SQL
}

# create NAME LIVE: an empty database, marked as ours; how it is made stands on stdin, as clauses of CREATE DATABASE. Until it is
# live, only superusers get in. Until it is marked, nobody does: by that and by its name `sweep` knows it, if we are killed in between.
create() {
  { echo 'CREATE DATABASE :"name" TEMPLATE template0 ALLOW_CONNECTIONS false CONNECTION LIMIT 0' && cat && echo ';'; } |
    over_all -v name="$1" && mark "$1" "$2" incomplete && let_in "$1"
}

# take_settings NAME: runs the statements on stdin, which give it an owner, grants and settings. They may let others in, and must not
# yet: they hold together with that, or not at all. That the database was created for a restore, as an older backup may say, is not
# true of this one.
take_settings() {
  { cat && echo 'ALTER DATABASE :"name" CONNECTION LIMIT 0;' && echo 'ALTER DATABASE :"name" RESET atlasia.created;'; } | over_all --single-transaction -v name="$1"
}

# mark NAME LIVE incomplete|complete|withdrawn: an incomplete one is dropped when its run ends; a withdrawn one never becomes live.
mark() {
  over_all -v name="$1" -v mark="$3, for $2" <<'SQL'
ALTER DATABASE :"name" SET atlasia.restore = :'mark';
SQL
}

# sweep LIVE RESTORED: drops what earlier runs have left that were to restore this database, under names like the one that is to
# be restored now. One in use is left alone.
sweep() {
  over_all -v live="$1" -v restored="$2" <<'SQL' | while IFS= read -r name; do drop_copy "$name" "$1" || true; done
SELECT datname FROM pg_database d LEFT JOIN pg_db_role_setting s ON setdatabase = d.oid AND setrole = 0
  WHERE datname ~ '_restore_[0-9a-f]{8}$' AND left(datname, -8) = left(:'restored', -8) AND (setconfig && ARRAY[
      'atlasia.restore=incomplete, for ' || :'live', 'atlasia.restore=complete, for ' || :'live',
      'atlasia.restore=withdrawn, for ' || :'live']
    -- Whoever made it was killed before it had a mark. Nobody else keeps an empty one closed like that.
    OR (setconfig IS NULL AND NOT datallowconn AND datconnlimit = 0
      AND pg_database_size(d.oid) < pg_database_size('template0') + 1048576))
    AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname);
SQL
}

# discard NAME LIVE [incomplete]: ends the sessions of a restored database that is not live, and drops it. One that is complete is
# kept, if that is asked for.
discard() {
  if [ -n "${3:-}" ]; then
    incomplete=$(is_incomplete "$1" "$2") || return
    [ -n "$incomplete" ] || return 0
  fi
  empty_out "$1" >/dev/null || true
  drop_copy "$1" "$2"
}

drop_copy() {
  take_out_subscriptions "$1" || return
  over_all -v name="$1" -v live="$2" <<'SQL'
-- From version 15 on, this takes an answer of every process of the server: one that hangs must not hold us up. What is left then is
-- dropped by the next restore.
SET statement_timeout = 20000;
SELECT format('DROP DATABASE %I', datname) FROM pg_database
  WHERE datname = :'name' AND datname ~ '_restore_[0-9a-f]{8}$' AND datname <> :'live' \gexec
SQL
}

# take_out_subscriptions NAME: a database that has some cannot be dropped. The slots on their publishers belong to the source.
take_out_subscriptions() {
  some=$(has_subscriptions "$1") || return
  [ -n "$some" ] || return 0
  let_in "$1" && without_logins || return
  # Without the source's event triggers, which would run with our rights.
  PGDATABASE=$1 PGOPTIONS="$PGOPTIONS -c session_replication_role=replica" psql -XAtq -v ON_ERROR_STOP=1 <<'SQL'
SELECT format('ALTER SUBSCRIPTION %I DISABLE', subname), format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', subname),
    format('DROP SUBSCRIPTION %I', subname)
  FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \gexec
SQL
}

has_subscriptions() {
  over_all -v name="$1" <<'SQL'
SELECT 'yes' FROM pg_database d WHERE datname = :'name' AND datname ~ '_restore_[0-9a-f]{8}$'
  AND EXISTS (SELECT FROM pg_subscription WHERE subdbid = d.oid);
SQL
}

# Prints the subscriptions of this database, as JSON.
subscriptions() {
  ask "SELECT coalesce(jsonb_agg(subname ORDER BY subname), '[]') FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid
    WHERE datname = current_database()"
}

is_incomplete() {
  over_all -v name="$1" -v live="$2" <<'SQL'
SELECT 'yes' FROM pg_database d LEFT JOIN pg_db_role_setting s ON setdatabase = d.oid AND setrole = 0
  WHERE datname = :'name' AND NOT coalesce('atlasia.restore=complete, for ' || :'live' = ANY (setconfig), false);
SQL
}

# analyze ARGUMENT JOBS: without statistics, the first queries would take far longer than they did.
analyze() { vacuumdb --quiet --analyze-only --jobs="$2" --dbname="$1"; }

# after: the user's own statements, in a session like any other of theirs, except that they may write, and that a trigger which lets
# nobody log in does not keep them from mending it.
after() {
  PGOPTIONS='-c default_transaction_read_only=off' on=''
  without_logins || return
  case $PGOPTIONS in *event_triggers*) on='SET event_triggers = on; ' ;; esac
  { printf %s "$on" && cat; } | psql -XAtq -v ON_ERROR_STOP=1
}

# login: whether we can log in as an application does, with what that sets off. It may write, as that will once the trouble is over.
login() { PGOPTIONS='-c default_transaction_read_only=off' psql -XAtqc 'SELECT' </dev/null; }

# standing_of LIVE RESTORED ASIDE: which of them there are: `live restored`, or the like.
standing_of() {
  over_all -v live="$1" -v restored="$2" -v aside="$3" <<'SQL'
SELECT coalesce(string_agg(what, ' ' ORDER BY what), 'none')
  FROM (VALUES ('aside', :'aside'), ('live', :'live'), ('restored', :'restored')) names (what, name) JOIN pg_database ON datname = name;
SQL
}

# empty_out NAME...: lets nobody in any more, and ends all sessions. Fails if one does not end, and prints what is known of it.
empty_out() {
  tries=0
  for name in "$@"; do
    over_all -v name="$name" <<'SQL' || return
SELECT format('ALTER DATABASE %I ALLOW_CONNECTIONS false', datname) FROM pg_database WHERE datname = :'name' \gexec
SQL
  done
  while :; do
    left=''
    for name in "$@"; do
      said=$(end_sessions "$name") || return
      [ -z "$said" ] || left=$said
    done
    [ -n "$left" ] || return 0
    tries=$((tries + 1))
    [ "$tries" -lt 40 ] || {
      printf 'busy %s\n' "$left"
      return 1
    }
    sleep 0.25 2>/dev/null || sleep 1
  done
}

# Prints the process and the application of one of them; nothing if there is none.
end_sessions() {
  over_all -v name="$1" <<'SQL'
SELECT min(pid || ' ' || CASE WHEN application_name ~ '^[A-Za-z0-9._ -]{1,60}$' THEN application_name ELSE '' END)
  FROM (SELECT pid, application_name, pg_terminate_backend(pid) AS told FROM pg_stat_activity WHERE datname = :'name') s WHERE told IS NOT NULL;
SQL
}

# Seconds within which the sessions must have ended. Whoever asked waits for longer (`exchange_limit` of the engine), and must not
# be overtaken by an exchange that comes after all.
exchange_patience=45

# exchange LIVE RESTORED ASIDE LIMIT: the restored database takes the name of the live one, and gets this limit of connections. The
# old one is kept under the third name, where superusers alone get in. Prints `exchanged` if that is so now, whoever did it.
exchange() {
  begun=$(date +%s)
  case $(standing_of "$1" "$2" "$3") in
    'aside live') ;;
    'live restored')
      if ! { empty_out "$1" "$2" && [ "$(($(date +%s) - begun))" -lt "$exchange_patience" ] && rename_both "$1" "$3" "$2" "$4"; }; then
        let_in "$1"
        return 1
      fi
      ;;
    *) return 1 ;;
  esac
  echo exchanged
}

# exchange_back LIVE RESTORED ASIDE LIMIT: the old database is live again. Prints `exchanged-back` if that is so now.
exchange_back() {
  withdraw "$2" "$1" || return
  case $(standing_of "$1" "$2" "$3") in
    'live restored' | live) let_in "$1" || return ;;
    'aside live')
      if ! { empty_out "$1" "$3" && rename_both "$1" "$2" "$3" "$4"; }; then
        # Whoever puts things right by hand needs both.
        let_in "$1"
        let_in "$3"
        return 1
      fi
      mark "$2" "$1" withdrawn || true
      ;;
    *) return 1 ;;
  esac
  echo exchanged-back
}

# withdraw RESTORED LIVE: whoever asked for the exchange may be gone while its shell in here goes on. From here on it is refused; one
# that is at it is waited for.
withdraw() {
  over_all -v name="$1" -v mark="withdrawn, for $2" <<'SQL'
BEGIN;
SELECT pg_advisory_xact_lock(hashtext('atlasia.restore')) IS NULL AS locked \gset
SELECT format('ALTER DATABASE %I SET atlasia.restore = %L', datname, :'mark') FROM pg_database WHERE datname = :'name' \gexec
COMMIT;
SQL
}

let_in() {
  over_all -v name="$1" <<'SQL'
ALTER DATABASE :"name" ALLOW_CONNECTIONS true;
SQL
}

# rename_both LIVE OTHER NEXT LIMIT: LIVE becomes OTHER, and NEXT becomes LIVE: both or none. Whether it is a template goes along with
# the name: one that is could not be dropped.
rename_both() {
  PGOPTIONS="$PGOPTIONS -c statement_timeout=8000"
  over_all -v live="$1" -v other="$2" -v next="$3" -v limit="$4" <<'SQL'
BEGIN;
SELECT pg_advisory_xact_lock(hashtext('atlasia.restore')) IS NULL AS locked \gset
-- Whoever is told of the exchange relies on it. A server that commits without waiting for its disk would lose it in a crash.
SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'local'
  ELSE current_setting('synchronous_commit') END, true) AS lasting \gset
-- Fails if it was withdrawn.
SELECT 1 / count(*) AS stands FROM pg_database d LEFT JOIN pg_db_role_setting s ON setdatabase = d.oid AND setrole = 0
  WHERE datname = :'next' AND NOT coalesce(array_to_string(setconfig, ' ') LIKE '%atlasia.restore=withdrawn%', false) \gset
SELECT datistemplate::text AS template FROM pg_database WHERE datname = :'live' \gset
ALTER DATABASE :"live" RENAME TO :"other";
ALTER DATABASE :"next" RENAME TO :"live";
ALTER DATABASE :"other" ALLOW_CONNECTIONS true CONNECTION LIMIT 0 IS_TEMPLATE false;
ALTER DATABASE :"live" ALLOW_CONNECTIONS true CONNECTION LIMIT :limit IS_TEMPLATE :template;
ALTER DATABASE :"live" RESET atlasia.restore;
COMMIT;
SQL
}

has() { command -v "$1" >/dev/null; }

# watch_disk FOLDER BYTES FORMAT RESTORED LIVE: watches the disks of this folder and of the write-ahead log, and all tablespaces if SQL
# text is restored: see `room_below`. It ends when whoever asked hangs up; if that was killed, nobody else ends what goes on filling
# the disks, and so a database that is still incomplete is dropped.
watch_disk() {
  restored=$4 live=$5
  wal=$(over_all -c "SELECT $wal_folder") || return
  others=''
  [ "$3" != plain ] || others=$(over_all -c "$tablespace_folders") || return
  set -- "$2" "$1" "$wal"
  while IFS= read -r place; do [ -z "$place" ] || set -- "$@" "$place"; done <<END
$others
END
  room_below "$@" &
  watching=$!
  cat >/dev/null
  kill "$watching" 2>/dev/null
  discard "$restored" "$live" incomplete
}
