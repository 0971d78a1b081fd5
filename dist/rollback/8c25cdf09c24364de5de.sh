# shellcheck shell=bash disable=SC2154 # the limit is stable-schema.sh's
# Read-only: dumps the schema of the live database as a backup does, and sends it with the schema file of a set, unless both are the
# same. Encrypted files are left to whoever has the key.

# Longest packed text to send, in bytes: two of these fit into a result.
readonly most_packed=12582912

takes container user database server_host server_port password_from inside_script
# Milliseconds to wait for a table that somebody has locked.
takes table_wait
takes backup_dir
# The hash of the set's schema, empty if unknown; the name of its schema file, empty if there is none to send; folders that have it.
takes schema_sha256 schema_file
takes_list folders

main() {
  local now sum status=0 folder
  export PGUSER=$user PGDATABASE=$database SERVER_HOST=$server_host SERVER_PORT=$server_port PASSWORD_FROM=$password_from
  export PGAPPNAME=atlasia-schema
  # Whoever rolls back need not hear of the server what the backup before it will say.
  keep_words ''
  now=$(dump_schema) || status=$?
  case $status in
    0) ;;
    77) record trouble "it is longer than $most_schema bytes" && return ;;
    *) record trouble 'pg_dump failed' && return ;;
  esac
  sum=$(printf %s "$now" | base64 --decode | gzip -d -c | sha256sum)
  if [[ ${sum%% *} == "$schema_sha256" ]]; then
    record same yes
    return
  fi
  ((${#now} <= most_packed * 4 / 3)) || { record trouble 'it is too long to be sent' && return; }
  record live "$now"
  [[ -n $schema_file ]] || return 0
  for folder in "${folders[@]}"; do
    send_schema "$backup_dir/$folder/$schema_file" || continue
    break
  done
}

# Prints the schema of the live database, packed. Status 77: there is more than anybody needs.
dump_schema() {
  local statuses=(0 0)
  heard schema docker exec --interactive --env PGUSER --env PGDATABASE --env SERVER_HOST --env SERVER_PORT --env PASSWORD_FROM \
    --env PGAPPNAME "$container" sh -c "$inside_script" inside schema "$table_wait" </dev/null |
    limited "$most_schema" | stable | gzip -n -c -1 | base64 --wrap=0 || statuses=("${PIPESTATUS[@]}")
  ((statuses[1] == 0)) || return 77
  [[ ${statuses[*]} != *[1-9]* ]]
}

# send_schema FILE: the file as it lies there. Fails if there is none.
send_schema() {
  [[ -f $1 && ! -L $1 && -r $1 ]] || return
  (($(stat --format %s -- "$1") <= most_packed)) || return
  record file "$(base64 --wrap=0 -- "$1")"
}
