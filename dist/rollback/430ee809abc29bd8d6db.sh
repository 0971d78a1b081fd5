# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Where users ask: the ports that the project publishes on the host. One that answered before the swap must answer after it.
# A proxy that is silent is reloaded, or else restarted (proxies.sh).
#
# addresses.tsv: host, port, port inside, its kind, container, service, how it answered. Written before anything stops.

# How many addresses are asked, and how many of proxies are measured all the time.
readonly most_addresses=24 most_edges=3 most_neighbours=20
# Seconds after which a silent proxy is reloaded, and restarted; for which it may then be silent; and for which a service may be
# whose health test passes.
readonly reload_after=2 restart_after=15 edge_patience=60 answer_patience=120
# A host that is busy may let a proxy be silent now and then: so many looks in a row it must be before it is restarted.
readonly most_silent_looks=6

# note_addresses: notes the addresses that answer now. Databases and the like are asked only if they are swapped.
note_addresses() {
  local ids host port inside kind name service asked=() pid
  note_neighbours || return
  ids=$(project_containers "${plan[project]}" status=running) || return
  : >addresses.new || return
  # shellcheck disable=SC2086 # ids are hex digits
  while read -r host port inside kind name service; do
    ((${#asked[@]} < most_addresses)) || break
    is_swapped "$service" || ! speaks_no_http "$inside" || continue
    note_address "$host" "$port" "$inside" "$kind" "$name" "$service" &
    asked+=("$!")
  done < <({ [[ -z $ids ]] || published_ports $ids; neighbour_ports; } | proxies_first)
  for pid in "${asked[@]}"; do ends_in_time "$pid" || true; done
  [[ ! -e addresses.lost ]] && proxies_first <addresses.new | tr ' ' '\t' >addresses.sorted || return
  rm -f -- addresses.new
  settle addresses.sorted addresses.tsv
}

# Writes neighbours.tsv: names of proxies of other projects, or of none, in a network of what is swapped: users may come through
# them. In addresses.tsv, their name stands for the service, behind an @.
note_neighbours() {
  local network id own found='' names=''
  own=$(project_containers "${plan[project]}") || return
  while read -r network; do
    found+=$(docker ps --quiet --no-trunc --filter "network=$network")$'\n' || return
  done < <(cut -f 2 networks.tsv | sort -u | grep -vx -e bridge -e host -e none)
  for id in $(without "$own" "$(sort -u <<<"$found")" | head -n "$most_neighbours"); do
    [[ $(proxy_in "$id") != @(nginx|openresty|haproxy|caddy|traefik|envoy|httpd) ]] || names+=$(name_of "$id")$'\n'
  done
  put_table "$names" neighbours
}

neighbour_ports() {
  local name
  while read -r name; do published_ports "$name" | sed 's/ [^ ]*$/ @'"$name/"; done <neighbours.tsv
}

note_address() {
  local way
  way=$(way_of "$1" "$2" "$3") || return 0
  # What is not swapped may be open without serving anybody.
  is_swapped "$6" || [[ $way != tcp ]] || return 0
  # On a full disk, an empty file still has room.
  printf '%s %s\n' "$*" "$way" >>addresses.new || : >addresses.lost
}

# proxies_first: sorts lines whose sixth word is a service.
proxies_first() {
  local line service rank
  while read -r line; do
    read -r _ _ _ _ _ service _ <<<"$line"
    rank=2
    if [[ $service == @* ]] || is_proxy "$service"; then rank=1; fi
    ! is_swapped "$service" || rank=0
    printf '%s %s\n' "$rank" "$line"
  done | sort -s -k 1,1n -k 7,7 -k 3,3n | cut -d ' ' -f 2-
}

is_swapped() { [[ -n ${strategy[$1]-} ]]; }

is_proxy() {
  local proxy
  for proxy in "${proxies[@]}"; do [[ $proxy != "$1" ]] || return 0; done
  return 1
}

# keeps_addresses: whether every address that answers now is published by the new containers too, or was never promised. With the
# settings that were kept of the target, one that is not is what was asked for: it is told of, and not asked again.
keeps_addresses() {
  local host port kind service ids bound line kept='' gone=''
  ids=$(new_containers) || return
  # shellcheck disable=SC2086 # ids are hex digits
  bound=$([[ -z $ids ]] || bound_ports $ids)
  while IFS= read -r line; do
    IFS=$'\t' read -r host port _ kind _ service _ <<<"$line"
    if [[ $kind == @(any|host) || ${strategy[$service]-} == @(|restart) ]] || publishes "$host" "$port" "$kind" <<<"$bound"; then
      kept+=$line$'\n'
    elif [[ ${plan[settings]-} == kept ]]; then
      journal unpublished "$(address_name "$host" "$port") $service"
      gone=yes
    else
      broken no-answer "$(address_name "$host" "$port") answers now, but $service in today's compose file no longer publishes it" ||
        return
    fi
  done <addresses.tsv
  [[ -z $gone ]] || put_table "$kept" addresses
}

# ports_are_free: whether nobody holds a port that the new containers publish, apart from those that they replace.
ports_are_free() {
  local new bound held at port host taken kind name
  new=$(new_containers) || return
  [[ -n $new ]] || return 0
  # shellcheck disable=SC2086 # ids are hex digits
  bound=$(bound_ports $new)
  # shellcheck disable=SC2046 # ids are hex digits
  held=$(published_ports $(without "$(cut -f 2 before.tsv)" "$(docker ps --quiet --no-trunc)") </dev/null)
  while read -r at port; do
    [[ $port =~ ^[0-9]+$ ]] || continue
    while read -r host taken _ kind name _; do
      [[ $taken == "$port" && $kind != host ]] || continue
      [[ $at == @(0.0.0.0|::) || $kind == everywhere || $at == "$host" ]] || continue
      broken port-taken "The target publishes port $port of the host, which $name holds" || return
    done <<<"$held"
  done <<<"$bound"
}

# publishes HOST PORT KIND: whether the lines `ADDRESS PORT` on stdin include it. One that was open everywhere must stay so.
publishes() {
  local at port low high
  while read -r at port; do
    case $at in
      0.0.0.0) ;;
      ::) [[ $1 == *:* || $1 == 127.0.0.1 ]] || continue ;;
      *) [[ $at == "$1" && $3 != everywhere ]] || continue ;;
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
    way=${way%-any}
    [[ $way != http ]] || way=port
    if printf '%s %s %s\n' "$way" "$host" "$port" >"probes/$name.aim"; then start_prober "$name"; else forget "$name"; fi
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
      [[ $kind != any ]] || read -r host port < <(chosen_port "$service" "$inside") || continue
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
  local silent line service good=0 begun=$SECONDS waited restarted=
  local -A looks=()
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
    count_silent "$silent"
    if ((waited >= restart_after)) && [[ -z $restarted ]]; then
      restart_silent <<<"$silent"
    fi
    while read -r line; do has_time "$line" "$waited" || return; done <<<"$silent"
    has reverting || still_well || return
    sleep "$look_interval"
  done
}

# count_silent LINES: counts for each service in `looks` how often in a row it has been silent.
count_silent() {
  local service
  local -A now_silent=()
  while read -r _ _ _ _ _ service _; do now_silent[$service]=yes; done <<<"$1"
  for service in "${!looks[@]}"; do [[ -n ${now_silent[$service]-} ]] || unset "looks[$service]"; done
  for service in "${!now_silent[@]}"; do looks[$service]=$((${looks[$service]-0} + 1)); done
}

# has_time LINE SECONDS: whether a silent address may still be waited for.
has_time() {
  local host port service limit=${plan[health_timeout]}
  read -r host port _ _ _ service _ <<<"$1"
  if ! is_swapped "$service"; then
    ((limit < edge_patience)) || limit=$edge_patience
  elif is_tested "$service"; then
    ((limit < answer_patience)) || limit=$answer_patience
  fi
  # What was restarted last gets its chance.
  (($2 < limit || $2 < restart_after + 10)) ||
    broken no-answer "$(address_name "$host" "$port") answered before the swap and does not any more, or only with an error, though its container is well"
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

# restart_silent: restarts the proxies of the lines on stdin, except those that are swapped, and sets `restarted`.
restart_silent() {
  local service
  local -A met=()
  while read -r _ _ _ _ _ service _; do
    if [[ -n ${met[$service]-} ]] || is_swapped "$service" || ((looks[$service] < most_silent_looks)); then continue; fi
    met[$service]=yes restarted=yes
    restart_service "$service" || true
  done
}
