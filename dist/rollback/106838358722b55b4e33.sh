# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# A proxy that is not swapped may have looked a service up only when it started: then it is reloaded, or else restarted.

# renew_proxy SERVICE: reloads its containers, or restarts those where that cannot be done.
renew_proxy() { reload_service "$1" || is_swapped "$1" || restart_service "$1"; }

# reload_service SERVICE: reloads its running containers, of which some may be new; or a proxy of another project, by its name behind
# an @. Fails if it does not know how.
reload_service() {
  local id ids=${1#@}
  [[ $1 == @* ]] ||
    ids=$(project_containers "${plan[project]}" status=running "label=com.docker.compose.service=$1") || return
  for id in $ids; do reload_proxy "$id" || return; done
  [[ -z $ids ]] || journal reloaded "${1#@}"
}

# reload_neighbours: reloads the proxies of others that may lead to what was swapped.
reload_neighbours() {
  local name
  [[ -e neighbours.tsv ]] || return 0
  while read -r name; do reload_service "@$name" </dev/null || true; done <neighbours.tsv
}

# The services that were reloaded since the last change of what is behind them.
declare -A reloaded=()

# reload_silent [again]: reloads the services of the lines on stdin, once each.
reload_silent() {
  local service
  [[ ${1-} != again ]] || reloaded=()
  while read -r _ _ _ _ _ service _; do
    [[ -z ${reloaded[$service]-} ]] || continue
    reloaded[$service]=yes
    reload_service "$service" || true
  done
}

# proxy_in CONTAINER: prints which proxy its command starts: `nginx`, `haproxy`, …; fails if none. An exporter bears the name as well.
proxy_in() {
  local command name='(^|[ /"])(nginx|openresty|haproxy|caddy|traefik|envoy|httpd|apache2)(-foreground)?($|[ ";])'
  command=$(look "$1" '{{.Path}} {{join .Args " "}}') && [[ $command =~ $name ]] && printf '%s' "${BASH_REMATCH[2]}"
}

# reload_proxy CONTAINER: lets the proxy in it read its configuration again, and so look up names again. Fails if it does not
# know how: Caddy, Traefik and Envoy look up names as they go, and may run with another configuration than that of their files.
reload_proxy() {
  case $(proxy_in "$1") in
    # Where it does not reload, it only prints its state.
    haproxy) timeout 20 docker kill --signal HUP "$1" ;;
    httpd | apache2) timeout 20 docker exec "$1" sh -c 'httpd -k graceful || apachectl -k graceful' ;;
    openresty) timeout 20 docker exec "$1" sh -c 'openresty -s reload || nginx -s reload' ;;
    caddy | traefik | envoy) return 1 ;;
    *) timeout 20 docker exec "$1" nginx -s reload ;;
  esac >/dev/null 2>&1 </dev/null
}

# may_restart SERVICE ID...: whether it is a proxy, and no other container of the host lives in one of its: that would lose its
# network for good. apache2 mostly serves an application of its own.
may_restart() {
  local service=$1 id name of shared
  shift
  shared=$(sharers) || return
  for id in "$@"; do
    is_proxy "$service" || [[ $(proxy_in "$id") == @(nginx|openresty|haproxy|caddy|traefik|envoy|httpd) ]] || return
    name=$(name_of "$id") || return
    while read -r _ _ of; do
      [[ $of != "$name" && (${#of} -lt 12 || $id != "$of"*) ]] || return
    done < <(awk '$2 != "link"' <<<"$shared")
  done
}

# restart_service SERVICE: restarts its containers, if that harms nobody; each gets its own time to stop. From now on they say
# nothing about a restart of Docker.
restart_service() {
  local id ids
  ids=$(project_containers "${plan[project]}" "label=com.docker.compose.service=$1") && [[ -n $ids ]] || return
  # shellcheck disable=SC2086 # ids are hex digits
  may_restart "$1" $ids || return
  for id in $ids; do
    if [[ -e witness.tsv ]]; then
      { grep -v -- "^$id" witness.tsv || true; } >witness.new
      mv -T -- witness.new witness.tsv
    fi
    timeout 600 docker restart "$id" >/dev/null </dev/null || return
  done
  journal restarted "$1"
}
