# shellcheck shell=bash
# Where the server has no database of this name: creates an empty one, for a restore to replace, if that is asked for. Drops it again
# if the restore came to nothing. It passes on what the verb printed.

takes container user database server_host server_port password_from inside_script
takes_word verb

main() {
  local said
  export PGUSER=$user PGDATABASE=$database SERVER_HOST=$server_host SERVER_PORT=$server_port PASSWORD_FROM=$password_from
  said=$(docker exec --interactive --env PGUSER --env PGDATABASE --env SERVER_HOST --env SERVER_PORT --env PASSWORD_FROM "$container" \
    sh -c "$inside_script" inside "$verb" </dev/null | head -c 10000) || fail database-silent 'The server did not tell which databases it has'
  record answer "$said"
}
