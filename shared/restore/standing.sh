# shellcheck shell=bash
# Looks at the server that a database is to be restored on, and at who is connected to it. Changes nothing.

takes container user database server_host server_port password_from inside_script
# Ids of the project's containers.
takes_list containers

main() {
  local found
  export PGUSER=$user PGDATABASE=$database SERVER_HOST=$server_host SERVER_PORT=$server_port PASSWORD_FROM=$password_from
  found=$(docker exec --interactive --env PGUSER --env PGDATABASE --env SERVER_HOST --env SERVER_PORT --env PASSWORD_FROM \
    "$container" sh -c "$inside_script" inside standing </dev/null | head -c $((8 << 20))) ||
    fail database-silent 'The server did not tell what a restore must know'
  record standing "${found%%$'\n'*}"
  record free "${found#*$'\n'}"
  # A container may have gone meanwhile.
  record addresses "$(docker inspect --format \
    '{{$service := index .Config.Labels "com.docker.compose.service"}}{{range .NetworkSettings.Networks}}{{$service}} {{.IPAddress}} {{.GlobalIPv6Address}}{{"\n"}}{{end}}' \
    "${containers[@]}" 2>/dev/null || true)"
}
