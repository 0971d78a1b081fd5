# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Measures downtime, of services and of the addresses where users ask: sends a request every 50 ms, independently of the
# others, so that one that hangs cannot hide that the next is answered. A connection alone proves nothing: Docker's proxy accepts one even without a container.
#
# probes/NAME.aim says how to ask, and changes with the container; probes/NAME.tsv has a line for each request.

readonly probe_interval=0.05 edge_interval=0.1
# Milliseconds after which a request counts as failed. A lost packet is sent again after a second, and is answered all the same; and
# a proxy may first try a container that has just stopped.
readonly probe_patience=1500 edge_probe_patience=5000

# start_probers: starts one for each service that can be asked, and one for the health-url.
start_probers() {
  local service
  probers=()
  mkdir -p probes
  for service in "${services[@]}"; do
    [[ ${strategy[$service]} != @(job|create-only) ]] || continue
    choose_question "$service"
    [[ ! -e probes/$service.aim ]] || start_prober "$service"
  done
  start_edge_probers
  if [[ -n ${plan[health_url]-} ]]; then
    printf 'url\n' >probes/.health-url.aim
    start_prober .health-url
  fi
}

# resume_probers: continues the measurements of an engine that died, even if it had already stopped them.
resume_probers() {
  local file
  rm -f -- probes/stop
  for file in probes/*.aim probes/.*.aim; do
    [[ -e $file ]] || continue
    file=${file#probes/}
    start_prober "${file%.aim}"
  done
}

start_prober() {
  probe "$1" >>"probes/$1.tsv" 2>/dev/null </dev/null &
  probers+=("$!")
}

stop_probers() {
  ((${#probers[@]})) || return 0
  : >probes/stop || kill "${probers[@]}"
  wait "${probers[@]}" || true
  probers=()
}

# choose_question SERVICE: asks by HTTP if the service answers that, otherwise by its own health check, which will show when an
# unhealthy service recovers. Without a health check, asks by HTTP anyway.
choose_question() {
  local id port
  id=$(old_containers "$1")
  id=${id%%$'\n'*}
  [[ -n $id ]] || return 0
  port=$(first_port "$id")
  read_health_test "$id"
  if [[ -n $port ]] && aim_at_port "$1" "$id" "$port" && ask "$1"; then
    return 0
  elif ((${#health_test[@]})); then
    aim_at_test "$1" "$id"
  elif [[ -z $port ]]; then
    rm -f -- "probes/$1.aim"
  fi
}

# Ports that are published on the host, and those that the image exposes, a line each.
# shellcheck disable=SC2016 # the dollars are the template's
readonly port_lines='{{range $port, $all := .HostConfig.PortBindings}}{{range $all}}{{if .HostPort}}'\
'{{$port}} published '\
'{{if or (eq .HostIp "") (eq .HostIp "0.0.0.0") (eq .HostIp "::")}}127.0.0.1{{else}}{{.HostIp}}{{end}} {{.HostPort}}{{"\n"}}'\
'{{end}}{{end}}{{end}}'\
'{{range $port, $_ := .Config.ExposedPorts}}{{$port}} inside {{$port}}{{"\n"}}{{end}}'

# first_port ID: the container's first TCP port, as `published HOST PORT` or else `inside PORT`; nothing if it has none.
first_port() {
  local port how
  docker inspect --format "$port_lines" \
    "$1" | while read -r port how; do
    [[ $port == */tcp ]] || continue
    printf '%s' "${how%/tcp}"
    break
  done
}

# aim_at_port SERVICE ID PORT: a container that is not running has no address, so requests to it fail.
aim_at_port() {
  local address=
  case $3 in
    published*) address=${3#* } ;;
    inside*)
      address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$2")
      address="${address%% *} ${3#* }"
      ;;
  esac
  { printf 'port %s\n%s\n' "$address" "$3" >"probes/$1.aim.new" && mv -T -- "probes/$1.aim.new" "probes/$1.aim"; } ||
    forget "$1"
}

# aim_at_test SERVICE ID
aim_at_test() { printf 'test %s\n' "$2" >"probes/$1.aim" || forget "$1"; }

# forget NAME: gives a measurement up because the disk is full and it would be incomplete. Its prober goes on writing, but into
# the deleted file.
forget() {
  rm -f -- "probes/$1.aim" "probes/$1.aim.new" "probes/$1.tsv"
  : >"probes/$1.tsv"
}

# aim_at SERVICE IDS: from now on, asks the first of these containers.
aim_at() {
  local how port id=${2%%$'\n'*}
  [[ -e probes/$1.aim ]] || return 0
  { read -r how _ && { read -r port || true; }; } <"probes/$1.aim"
  case $how in
    port) aim_at_port "$1" "$id" "$port" ;;
    test) aim_at_test "$1" "$id" ;;
  esac
}

# probe NAME: asks until probes/stop exists or the engine is gone; prints `START ok|failed END` for each request.
probe() {
  local pause pid most=30 how aimed='' patience=$probe_patience interval=$probe_interval
  local -A asked=()
  read -r how _ <"probes/$1.aim"
  [[ $how != @(test|https) ]] || most=2 # each starts a process
  [[ $1 != *:* ]] || interval=$edge_interval patience=$edge_probe_patience
  exec {pause}<> <(:)
  while [[ ! -e probes/stop ]] && kill -0 "$$" 2>/dev/null; do
    tell_time
    for pid in "${!asked[@]}"; do
      if ! kill -0 "$pid" 2>/dev/null; then
        unset "asked[$pid]"
      elif ((now - asked[$pid] > patience)) && kill -KILL "$pid" 2>/dev/null; then
        printf '%s failed %s\n' "${asked[$pid]}" "$now" || forget "$1"
        unset "asked[$pid]"
      fi
    done
    if [[ $how == test ]]; then
      follow_aim "$1"
      # A test may take as long as Docker lets it.
      patience=$((health_limit + 2000))
    fi
    if ((${#asked[@]} < most)); then
      { answer_of "$1" || forget "$1"; } &
      asked[$!]=$now
    fi
    read -r -t "$interval" -u "$pause" || true
  done
}

# follow_aim NAME: reads the health check again, as the target may have a different one.
follow_aim() {
  local id
  read -r _ id <"probes/$1.aim" || return 0
  [[ $id != "$aimed" ]] || return 0
  aimed=$id
  read_health_test "$id"
}

# answer_of NAME: asks, and prints the line of this request.
answer_of() {
  local began=$now answer=failed
  ! ask "$1" || answer=ok
  tell_time
  printf '%s %s %s\n' "$began" "$answer" "$now"
}

# ask NAME: whether it answers right now.
ask() {
  local how first second seconds=2
  read -r how first second <"probes/$1.aim" || return
  [[ $1 != *:* ]] || seconds=$((edge_probe_patience / 1000))
  case $how in
    port) [[ -n $second ]] && http_answers "$first" "$second" / localhost 500 "$seconds" ;;
    https) https_status "$first" "$second" "$seconds" && ((http_status < 500)) ;;
    test) is_well "$first" ;;
    url) url_answers ;;
  esac
}

# measured NAME: longest downtime in milliseconds (a dash if nothing ever answered), failed requests, all requests. The last is
# 0 if the measurement was given up.
measured() {
  # A request may be answered at the very moment that it is given up: then the answer counts.
  # One that is answered late may have been asked while nobody was there, so it ends a downtime only when it is answered.
  # Time in which nobody asked, because the engine had died, counts as downtime.
  sort -k 1,1n -k 2,2r -- "probes/$1.tsv" | awk '
    asked && $1 == last { next }
    { idle = asked && $1 - busy > 1000; last = $1; asked++; if ($1 > busy) busy = $1; if ($3 > busy) busy = $3 }
    { print ($2 == "ok" && $3 - $1 > 1000 ? $3 : $1), $1, $2, idle }' | sort -s -k 1,1n | awk '
    { last = $1; asked++ }
    asked == 1 { since = $2 }
    $4 { gone = 1 }
    $3 == "ok" { if (gone && $1 - since > gap) gap = $1 - since; if ($2 > since) since = $2; gone = 0; answered++; next }
    { failed++; gone = 1 }
    END { if (gone && last - since > gap) gap = last - since; print (answered ? gap + 0 : "-"), failed + 0, asked + 0 }'
}

# within_budget: whether all downtimes so far are within max-downtime. One that can no longer be measured is not.
within_budget() {
  local name gap
  [[ -n ${plan[max_downtime]-} ]] || return 0
  for name in probes/*.tsv probes/.health-url.tsv; do
    [[ -e $name ]] || continue
    name=${name#probes/}
    [[ -e probes/${name%.tsv}.aim ]] ||
      broken max-downtime "Cannot measure the downtime of ${name%.tsv} any more: the disk is full" || return
    read -r gap _ < <(measured "${name%.tsv}")
    [[ $gap == - ]] || ((gap <= plan[max_downtime])) ||
      broken max-downtime "${name%.tsv} did not answer for $gap ms; max-downtime is ${plan[max_downtime]} ms" || return
  done
}

tell_measurements() {
  local name
  for name in "${services[@]}" .health-url; do
    [[ ! -e probes/$name.tsv ]] || journal measured "$name $(measured "$name")"
  done
  # Addresses have a colon in their name.
  for name in probes/*:*.tsv; do
    [[ -e $name ]] || continue
    name=${name#probes/} name=${name%.tsv}
    journal measured "$name $(measured "$name")"
  done
}
