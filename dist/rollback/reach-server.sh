# shellcheck shell=sh disable=SC2034 # inside.sh tells what was found
# The first part of what runs inside the database container, in whatever shell it has: how our sessions reach the server, and with
# which settings. The user and the database come as PGUSER and PGDATABASE, never as arguments: psql reads a connection string there.
# The route comes as SERVER_HOST, SERVER_PORT and PASSWORD_FROM, as a probe has found it. The server's password does not leave the
# container.

export LC_ALL=C PGCONNECT_TIMEOUT=15
# We may be a superuser in a database whose owner chooses the settings of its sessions. Our sessions keep the role they log in
# with, call only PostgreSQL's own functions, and have no time limit. Otherwise a plain role could run its own functions with
# our rights, or prevent the backup of its database.
export PGOPTIONS="${PGOPTIONS:-} -c role=none -c search_path=pg_catalog -c statement_timeout=0 -c lock_timeout=0"
# Settings of the source that pg_dump does not set itself, but that change what it writes: a drill pins them as well.
PGOPTIONS="$PGOPTIONS -c standard_conforming_strings=on -c quote_all_identifiers=off -c bytea_output=hex"
# Notices and warnings of the server help nobody here, and may be a function's words: whoever reads the errors would have to tell
# them apart. Those of pg_dump itself are not meant by this.
PGOPTIONS="$PGOPTIONS -c client_min_messages=error"
# In English, where the role may choose that: only superusers may.
[ -z "${ATLASIA_MESSAGES:-}" ] || PGOPTIONS="$PGOPTIONS -c lc_messages=$ATLASIA_MESSAGES"

# first_set VARIABLE NAME...: sets the variable to the first value that the container has under one of these names: in a file that
# NAME_FILE tells of, or in NAME itself. `source` says which; it is empty if there is none.
first_set() {
  variable=$1
  shift
  for source in "$@"; do
    # The names are constants of ours.
    eval "file=\${${source}_FILE:-} value=\${$source:-}"
    if [ -n "$file" ] && [ -r "$file" ]; then value=$(cat "$file") source=${source}_FILE; fi
    [ -z "$value" ] || { eval "$variable=\$value" && return 0; }
  done
  source=
  return 1
}

# Sets `socket` and `port` to where the server that runs here listens, as the file in its data folder says.
find_server() {
  for folder in "${PGDATA:-}" "${POSTGRESQL_DATA_DIR:-}" /var/lib/postgresql/data /var/lib/postgresql/*/docker \
    /var/lib/postgresql/*/main /bitnami/postgresql/data /var/lib/pgsql/data/userdata /var/lib/pgsql/data; do
    [ -r "${folder:-/nowhere}/postmaster.pid" ] || continue
    pid='' port='' socket='' address=''
    { read -r pid && read -r _ && read -r _ && read -r port && IFS= read -r socket && read -r address; } \
      <"$folder/postmaster.pid" || true
    case $pid,$port in *[!0-9,]* | *,) continue ;; esac
    # A server that was killed has left its file behind, and its number may be that of another process now.
    case $(cat "/proc/$pid/comm" 2>/dev/null) in *postgres* | postmaster) ;; *) continue ;; esac
    case $socket,$address in
      /* | @*) ;;
      ,) continue ;;
      ,\* | ,0.0.0.0) socket=127.0.0.1 ;;
      ,::) socket=::1 ;;
      ,*) socket=$address ;;
      *) socket=$folder/$socket ;;
    esac
    return 0
  done
  socket='' port=''
  return 1
}

# Has our sessions take a route: `own`, what the container's variables or libpq's defaults lead to; `place`, the server that
# find_server has found; each also with the password that the container has under another name than PGPASSWORD.
take_route() {
  case $1 in place*) unset PGHOSTADDR PGSERVICE && export PGHOST="$socket" PGPORT="$port" ;; esac
  case $1 in *-password) export PGPASSWORD="$secret" ;; esac
}

# try ROUTE: whether a session gets through. `answer` is when the server was started that it reaches, which tells it from others,
# and the database; or why it got nowhere. `refused` is the first route at whose end there was a server.
try() {
  route=$1
  if answer=$(take_route "$1" && PGCONNECT_TIMEOUT=5 psql -XAtqw -c "SELECT extract(epoch FROM pg_postmaster_start_time()) || ' ' || current_database()" </dev/null 2>&1); then
    # What a service file says of the database goes before PGDATABASE.
    case $1,${PGSERVICE:+$db_name},$answer in own*,?*,*" $db_name" | own*,,* | place*) return 0 ;; esac
    answer="FATAL:  PGSERVICE leads to another database than \"$db_name\"" misled=$answer
  fi
  case $answer in *FATAL:*) refused=${refused:-$1} ;; esac
  return 1
}
try_with_password() { [ -n "$secret" ] && try "$1-password"; }

# Sets `route`. What somebody has set in the container goes before what we find, as long as it leads to a server that lets us in:
# PGHOST and the like are obeyed by everything else that runs there. A password is not given where none is needed: it would
# go before a password file.
choose_route() {
  refused=''
  chosen=${PGHOST:-}${PGHOSTADDR:-}${PGPORT:-}${PGSERVICE:-}
  find_server || true
  if try own; then
    # By default, another server than that of the data folder may answer.
    case $chosen,$port,$socket in ?*,*,* | ,,* | ,5432,/tmp | ,5432,/run/postgresql | ,5432,/var/run/postgresql) return ;; esac
    here=${answer##*"$line_break"}
    if try place || try_with_password place; then [ "${answer##*"$line_break"}" = "$here" ] || return 0; fi
    route=own
    return
  fi
  case $chosen,$answer in
    # It will be there again: until then, we take no other for it.
    ?*,*'FATAL: '*'starting up'* | ?*,*'FATAL: '*'shutting down'* | ?*,*'FATAL: '*'recovery mode'* | \
      ?*,*'FATAL: '*'not yet accepting'* | ?*,*'FATAL: '*'too many '* | ?*,*'FATAL: '*'connection slots'*) return ;;
  esac
  case $answer in *password*) wants=yes ;; *) wants='' ;; esac
  if [ -n "$chosen" ] && [ -n "$wants" ] && try_with_password own; then return; fi
  if [ -n "$port" ] && try place; then return; fi
  if [ -z "$chosen" ] && [ -n "$wants" ] && try_with_password own; then return; fi
  if [ -n "$port" ] && try_with_password place; then return; fi
  route=${refused:-own}
  [ -n "$refused" ] || [ -z "$port" ] || route=place
}

line_break='
'
source='' db_name=${PGDATABASE:-}
[ -n "${PGUSER:-}" ] || first_set PGUSER POSTGRES_USER POSTGRESQL_USERNAME POSTGRESQL_USER || PGUSER=postgres
# The official image calls the first database as its user, the others do not.
case $source in POSTGRESQL_*) own_name=postgres ;; *) own_name=$PGUSER ;; esac
[ -n "${PGDATABASE:-}" ] || first_set PGDATABASE POSTGRES_DB POSTGRESQL_DATABASE || PGDATABASE=$own_name
export PGUSER PGDATABASE
secret='' misled=''
if [ "${1:-}" = probe ]; then
  case $PGUSER in
    postgres) first_set secret POSTGRESQL_POSTGRES_PASSWORD POSTGRESQL_ADMIN_PASSWORD POSTGRES_PASSWORD POSTGRESQL_PASSWORD ;;
    *) first_set secret POSTGRES_PASSWORD POSTGRESQL_PASSWORD ;;
  esac || true
  password=$source
  choose_route
else
  # A probe has chosen: all sessions of a backup take one route.
  socket=${SERVER_HOST:-} port=${SERVER_PORT:-} route=own
  [ -z "$port" ] || route=place
  if [ -n "${PASSWORD_FROM:-}" ]; then
    first_set secret "${PASSWORD_FROM%_FILE}" || true
    route=$route-password
  fi
fi
instead=''
for variable in PGHOSTADDR PGSERVICE; do
  if eval "[ -n \"\${$variable:-}\" ]"; then instead="$instead $variable"; fi
done
take_route "$route"
