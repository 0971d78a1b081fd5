# shellcheck shell=bash
# Drops a restored database that did not become the live one.

takes container user server_host server_port password_from inside_script restored live

main() {
  export PGUSER=$user SERVER_HOST=$server_host SERVER_PORT=$server_port PASSWORD_FROM=$password_from
  docker exec --interactive --env PGUSER --env SERVER_HOST --env SERVER_PORT --env PASSWORD_FROM "$container" \
    sh -c "$inside_script" inside discard "$restored" "$live" </dev/null >/dev/null
}
