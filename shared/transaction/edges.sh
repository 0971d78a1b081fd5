# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Where users ask: the ports that the project publishes on the host. One that answered before the swap must answer after it.
# A proxy that is not swapped may have looked a service up only when it started: then it is reloaded, or else restarted.
#
# addresses.tsv: host, port, port inside, `fixed` or `any`, container, service, how it answered. Written before anything stops.

# How many addresses are asked, and how many of proxies are measured all the time.
readonly most_addresses=24 most_edges=3
# Seconds after which a silent proxy is reloaded, and restarted; and for which a service whose health test passes may be silent.
readonly reload_after=2 restart_after=6 answer_patience=15

# note_addresses: notes the addresses that answer now. Databases and the like are asked only if they are swapped.
note_addresses() {
  local ids host port inside kind name service asked=() pid
  ids=$(project_containers "${plan[project]}" status=running) || return
  : >addresses.new || return
  # shellcheck disable=SC2086 # ids are hex digits
  [[ -z $ids ]] || while read -r host port inside kind name service; do
    ((${#asked[@]} < most_addresses)) || break
    is_swapped "$service" || ! speaks_no_http "$inside" || continue
    note_address "$host" "$port" "$inside" "$kind" "$name" "$service" &
    asked+=("$!")
  done < <(published_ports $ids | proxies_first)
  for pid in "${asked[@]}"; do ends_in_time "$pid" || true; done
  proxies_first <addresses.new | tr ' ' '\t' >addresses.sorted
  rm -f -- addresses.new
  sync -- addresses.sorted
  mv -T -- addresses.sorted addresses.tsv
}

note_address() {
  local way
  way=$(way_of "$1" "$2" "$3") || return 0
  # What is not swapped may be open without serving anybody.
  is_swapped "$6" || [[ $way != tcp ]] || return 0
  printf '%s %s\n' "$*" "$way" >>addresses.new
}

# proxies_first: sorts lines whose sixth word is a service.
proxies_first() {
  local line service
  while read -r line; do
    read -r _ _ _ _ _ service _ <<<"$line"
    if is_swapped "$service"; then printf '0 %s\n' "$line"; elif is_proxy "$service"; then printf '1 %s\n' "$line"; else printf '2 %s\n' "$line"; fi
  done | sort -s -k 1,1n -k 7,7 -k 3,3n | cut -d ' ' -f 2-
}

is_swapped() { [[ -n ${strategy[$1]-} ]]; }

is_proxy() {
  local proxy
  for proxy in "${proxies[@]}"; do [[ $proxy != "$1" ]] || return 0; done
  return 1
}

# keeps_addresses: whether every address that answers now is published by the new containers too, or was never promised.
keeps_addresses() {
  local host port kind service ids bound
  ids=$(new_containers) || return
  # shellcheck disable=SC2086 # ids are hex digits
  bound=$([[ -z $ids ]] || bound_ports $ids)
  while IFS=$'\t' read -r host port _ kind _ service _; do
    if [[ $kind != fixed ]] || ! is_swapped "$service"; then continue; fi
    publishes "$host" "$port" <<<"$bound" ||
      broken no-answer "$(address_name "$host" "$port") answers now, but $service in today's compose file no longer publishes it" || return
  done <addresses.tsv
}

# publishes HOST PORT: whether the lines `ADDRESS PORT` on stdin include it. One that was open everywhere must stay so.
publishes() {
  local at port low high
  while read -r at port; do
    case $at in
      0.0.0.0) ;;
      ::) [[ $1 == *:* || $1 == 127.0.0.1 ]] || continue ;;
      *) [[ $at == "$1" ]] || continue ;;
    esac
    IFS=- read -r low high <<<"$port"
    [[ $low =~ ^[0-9]+$ ]] && (($2 >= low && $2 <= ${high:-$low})) && return
  done
  return 1
}

# edges: the lines of addresses of containers that are not swapped.
edges() {
  local line service
  [[ -e addresses.tsv ]] || return 0
  while read -r line; do
    read -r _ _ _ _ _ service _ <<<"$line"
    is_swapped "$service" || printf '%s\n' "$line"
  done <addresses.tsv
}

# start_edge_probers: measures what users of the proxies get.
start_edge_probers() {
  local host port way name count=0
  while read -r host port _ _ _ _ way; do
    ((count < most_edges)) || break
    name=$(address_name "$host" "$port")
    [[ $way != http ]] || way=port
    printf '%s %s %s\n' "$way" "$host" "$port" >"probes/$name.aim"
    start_prober "$name"
    count=$((count + 1))
  done < <(edges)
}

# silent_addresses [edges]: the lines of those that do not answer now; of all, or of proxies only.
silent_addresses() {
  local line host port inside kind name service way pids=() lines=() at
  while read -r line; do
    read -r host port inside kind name service way <<<"$line"
    if is_swapped "$service"; then
      [[ -z ${1-} ]] || continue
      # Docker may have chosen another port for the new container.
      [[ $kind == fixed ]] || read -r host port < <(chosen_port "$service" "$inside") || continue
    fi
    answers_as "$way" "$host" "$port" 2>/dev/null &
    pids+=("$!")
    lines+=("$line")
  done <addresses.tsv
  for at in "${!pids[@]}"; do
    { ends_in_time "${pids[at]}" && wait "${pids[at]}"; } || printf '%s\n' "${lines[at]}"
  done
}

# chosen_port SERVICE INSIDE: the address at which the running container of a service publishes a port.
chosen_port() {
  local ids
  ids=$(project_containers "${plan[project]}" status=running "label=com.docker.compose.service=$1") && [[ -n $ids ]] || return
  # shellcheck disable=SC2086 # ids are hex digits
  published_ports $ids | awk -v inside="$2" '$3 == inside { print $1, $2; exit }'
}

# users_get_answers [TIMES]: waits until whatever answered before the swap answers again, several times in a row. A silent proxy
# is reloaded, then restarted.
users_get_answers() {
  local silent line good=0 begun=$SECONDS waited restarted=
  [[ -s addresses.tsv ]] || return 0
  while :; do
    silent=$(silent_addresses)
    if [[ -z $silent ]]; then
      good=$((good + 1))
      ((good < ${1-1})) || return 0
      sleep 0.2
      continue
    fi
    good=0
    waited=$((SECONDS - begun))
    ((waited < reload_after)) || reload_silent <<<"$silent"
    if ((waited >= restart_after)) && [[ -z $restarted ]]; then
      restart_silent <<<"$silent"
      restarted=yes
    fi
    while read -r line; do has_time "$line" "$waited" || return; done <<<"$silent"
    has reverting || still_well || return
    sleep "$look_interval"
  done
}

# has_time LINE SECONDS: whether a silent address may still be waited for.
has_time() {
  local host port service limit=${plan[health_timeout]}
  read -r host port _ _ _ service _ <<<"$1"
  ! is_swapped "$service" || ! is_tested "$service" || limit=$answer_patience
  (($2 < limit || $2 < restart_after * 2)) ||
    broken no-answer "$(address_name "$host" "$port") answered before the swap and does not any more, though its container is well"
}

# is_tested SERVICE: whether its health test has already shown that it serves.
is_tested() {
  local id
  id=$(target_containers "$1") && id=${id%%$'\n'*} && [[ -n $id ]] || return
  read_health_test "$id"
  ((${#health_test[@]}))
}

# refresh_proxies SERVICE: the containers of the service have changed. Proxies that have looked it up only at their start do so
# again, and any other that is silent. Fails never: users_get_answers judges.
refresh_proxies() {
  local proxy silent
  for proxy in ${looked_up_once[$1]-}; do
    renew_proxy "$proxy" || true
  done
  [[ -s addresses.tsv ]] && silent=$(silent_addresses edges) && [[ -n $silent ]] || return 0
  sleep 1
  silent=$(silent_addresses edges)
  [[ -z $silent ]] || reload_silent again <<<"$silent"
}

# renew_proxy SERVICE: reloads its containers, or restarts them where that cannot be done.
renew_proxy() {
  local id ids
  is_swapped "$1" && return
  ids=$(project_containers "${plan[project]}" status=running "label=com.docker.compose.service=$1") || return
  for id in $ids; do
    if reload_proxy "$id"; then journal reloaded "$1"; else restart_proxy "$id" "$1"; fi
  done
}

# The containers that were reloaded since the last change of what is behind them.
declare -A reloaded=()

# reload_silent [again]: reloads the proxies of the lines on stdin, once each.
reload_silent() {
  local name service
  [[ ${1-} != again ]] || reloaded=()
  while read -r _ _ _ _ name service _; do
    if [[ -n ${reloaded[$name]-} ]] || is_swapped "$service"; then continue; fi
    reloaded[$name]=yes
    ! reload_proxy "$name" || journal reloaded "$service"
  done
}

restart_silent() {
  local name service
  local -A met=()
  while read -r _ _ _ _ name service _; do
    if [[ -n ${met[$name]-} ]] || is_swapped "$service"; then continue; fi
    met[$name]=yes
    restart_proxy "$name" "$service" || true
  done
}

# reload_proxy CONTAINER: lets the proxy in it read its configuration again, and so look up names again. Fails if it does not
# know how.
reload_proxy() {
  local command
  command=$(look "$1" '{{.Path}} {{join .Args " "}} {{.Config.Image}}') || return
  case $command in
    # Where it does not reload, it only prints its state.
    *haproxy*) timeout 20 docker kill --signal HUP "$1" ;;
    *caddy*) timeout 20 docker exec "$1" caddy reload --force --config /etc/caddy/Caddyfile ;;
    *httpd* | *apache2*) timeout 20 docker exec "$1" sh -c 'httpd -k graceful || apachectl -k graceful' ;;
    *openresty*) timeout 20 docker exec "$1" sh -c 'openresty -s reload || nginx -s reload' ;;
    *traefik* | *envoy*) return 1 ;;
    *) timeout 20 docker exec "$1" nginx -s reload ;;
  esac >/dev/null 2>&1 </dev/null
}

# restart_proxy CONTAINER SERVICE: from now on it says nothing about a restart of Docker.
restart_proxy() {
  local id
  id=$(look "$1" '{{.ID}}') || return
  if [[ -e witness.tsv ]]; then
    { grep -v -- "^$id" witness.tsv || true; } >witness.new && mv -T -- witness.new witness.tsv
  fi
  timeout 120 docker restart --time 10 "$id" >/dev/null </dev/null || return
  journal restarted "$2"
}
