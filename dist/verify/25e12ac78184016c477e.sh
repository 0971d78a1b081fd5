# shellcheck shell=bash disable=SC2154,SC2034 # `plan` is read by url_answers
# Read-only: watches whether all containers of a project become healthy and stay so.

takes project
takes_number health_timeout stable_for # seconds
# The parts of the health-url, each a name, a space and a value; none if it is not to be asked.
takes_list address

readonly look_interval=0.5
# A container that was restarted this often while we watched will not come up.
readonly most_falls=3

# What decides whether a container is healthy, and what is recorded about it.
readonly state_fields=(
  '{{.ID}}'
  '{{.State.Status}}'
  '{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}'
  '{{.State.ExitCode}}'
  '{{.RestartCount}}'
  '{{if index .Config.Labels "atlasia.transaction"}}rollback{{else}}-{{end}}'
  '{{.HostConfig.RestartPolicy.Name}}'
)
readonly container_fields=(
  '"id":{{json .ID}}'
  '"service":{{json (index .Config.Labels "com.docker.compose.service")}}'
  '"image":{{json .Config.Image}}'
  '"imageId":{{json .Image}}'
  '"created":{{json .Created}}'
  '"state":{{json .State.Status}}'
  '"exit":{{json .State.ExitCode}}'
  '"started":{{json .State.StartedAt}}'
  '"restarts":{{json .RestartCount}}'
  '"policy":{{json .HostConfig.RestartPolicy.Name}}'
  '"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}}'
  '"rollback":{{json (index .Config.Labels "atlasia.transaction")}}'
)

declare -A plan=() falls=() passed=() failed=() next_test=()

main() {
  local patience line
  for line in "${address[@]}"; do plan[${line%% *}]=${line#* }; done

  patience=$((SECONDS + health_timeout))
  until all_settled || ((SECONDS >= patience)); do sleep "$look_interval"; done
  tell settled
  sleep "$stable_for"
  test_again
  tell after
  ask_addresses
  record clock "$(date +%s%3N)"
  [[ -z ${plan[health_url]-} ]] || ask_url "$patience"
}

# all_settled: whether waiting is over: all are healthy, or one never will be.
all_settled() {
  local ids id state health exit policy restarts maker count=0 all=yes
  ids=$(project_containers "$project") || fail docker-failed 'Docker cannot list the containers'
  [[ -n $ids ]] || return
  # shellcheck disable=SC2086 # ids are hex digits
  while IFS=$'\t' read -r id state health exit restarts maker policy; do
    count=$((count + 1))
    falls[$id]=${falls[$id]-$restarts}
    ((restarts - falls[$id] < most_falls)) || return 0
    case $state:$health in
      running:none | running:healthy) ;;
      # A rollback leaves stopped what was stopped.
      created:*) [[ $maker == rollback ]] || all= ;;
      running:starting) passes "$id" || all= ;;
      running:unhealthy | dead:*) return 0 ;;
      exited:*) ((exit == 0)) && [[ $policy == @(|no|on-failure) ]] || return 0 ;;
      *) all= ;;
    esac
  done < <(docker inspect --format "$(columns "${state_fields[@]}")" $ids 2>/dev/null)
  # If the count differs, a container was removed in the meantime: look again.
  [[ -n $all ]] && ((count == $(wc -w <<<"$ids")))
}

# passes ID: whether its own health test has passed, run by us: Docker may do so only minutes from now.
passes() {
  [[ -z ${passed[$1]-} ]] || return 0
  ((SECONDS >= ${next_test[$1]-0})) || return
  local status=0 starting=
  read_health_test "$1"
  ((${#health_test[@]})) || return
  ! in_start_period "$1" || starting=yes
  is_well "$1" "$patience" || status=$?
  case $status in
    0) passed[$1]=yes && return ;;
    # It may only have had no time left: nothing was seen to fail.
    124) ;;
    *) [[ -n $starting ]] || failed[$1]=yes ;;
  esac
  next_test[$1]=$((SECONDS + 2))
  return 1
}

# test_again: reports those that have failed a test that we ran, and those that have passed one and still do, if Docker has not
# run it since.
test_again() {
  local id
  for id in "${!failed[@]}"; do record fails "$id"; done
  for id in "${!passed[@]}"; do
    [[ $(docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{end}}' "$id" 2>/dev/null) == starting ]] || continue
    read_health_test "$id"
    ! is_well "$id" "$((SECONDS + 30))" || record passes "$id"
  done
}

readonly most_addresses=24
# Seconds for which a proxy may find out what is behind it.
readonly address_patience=10

# ask_addresses: reports what answers at the TCP ports that the project publishes, except those of databases and the like.
ask_addresses() {
  local ids host port inside kind service address line asked=()
  ids=$(project_containers "$project" status=running) || fail docker-failed 'Docker cannot list the containers'
  [[ -n $ids ]] || return 0
  trap '' PIPE
  # shellcheck disable=SC2086 # ids are hex digits
  while read -r host port inside kind _ service; do
    ((${#asked[@]} < most_addresses)) || break
    ! speaks_no_http "$inside" || continue
    exec {address}< <(printf '%s %s %s %s\n' "$(address_name "$host" "$port")" "$service" "$(answer_at "$host" "$port" 2>/dev/null)" "$kind")
    asked+=("$address")
  done < <(published_ports $ids)
  for address in "${asked[@]}"; do
    if IFS= read -r -t "$((address_patience * 2))" -u "$address" line; then
      # What a container in the network of the host exposes is not promised.
      [[ $line == *' closed host' ]] || record address "${line% *}"
    fi
    exec {address}<&-
  done
}

# answer_at HOST PORT: prints the status of its HTTP answer, `other` or `closed`. One that may only be late is waited for.
answer_at() {
  local answer last=$((SECONDS + address_patience))
  while :; do
    answer=closed
    if web_status "$1" "$2" 3; then
      answer=$http_status
    elif is_open "$1" "$2"; then
      answer=other
    fi
    if [[ $answer != closed ]] && ! is_refusal "$answer"; then break; fi
    ((SECONDS < last)) || break
    sleep "$look_interval"
  done
  printf '%s' "$answer"
}

# tell WHEN: reports the state of each container and, after the wait, its last output.
tell() {
  local ids json id facts='' tries
  # If a container disappears while we look, start over.
  for tries in 1 2 3 4 5; do
    ids=$(project_containers "$project") || fail docker-failed 'Docker cannot list the containers'
    [[ -n $ids ]] || return 0
    # shellcheck disable=SC2086 # ids are hex digits
    if facts=$(look_at $ids); then break; fi
    ((tries < 5)) || fail docker-failed 'Docker cannot inspect the containers'
    sleep "$look_interval"
  done
  while IFS= read -r json; do record "$1" "$json"; done <<<"$facts"
  [[ $1 == after ]] || return 0
  for id in $ids; do record words "$id $(last_words "$id")"; done
  # shellcheck disable=SC2046,SC2086 # ids are hex digits
  docker image inspect --format '{"id":{{json .ID}},"repoDigests":{{json .RepoDigests}}}' \
    $(docker inspect --format '{{.Image}}' $ids 2>/dev/null | sort -u) 2>/dev/null |
    while IFS= read -r json; do record image "$json"; done || true
}

# last_words ID: its last output; nothing if Docker cannot read it.
last_words() {
  local words
  words=$(timeout 5 docker logs --tail 3 "$1" 2>&1 </dev/null) || words=
  printf '%s' "$words" | tail -c 600 | tr '\n' ' '
}

# look_at ID...: fails if one of them does not exist.
look_at() {
  docker inspect --format "$(json_object "${container_fields[@]}")" \
    "$@" 2>/dev/null
}

# ask_url DEADLINE: whether the health-url answers three times in a row.
ask_url() {
  local good=0 last=$((SECONDS + 10)) asked
  if [[ -z ${plan[health_port]-} ]] && ! command -v curl >/dev/null; then
    record url no-curl
    return 0
  fi
  ((last > $1)) || last=$1
  while ((good < 3)); do
    url_answers 2>/dev/null &
    asked=$!
    if ends_in_time "$asked" && wait "$asked"; then good=$((good + 1)); else good=0; fi
    if ((good == 0 && SECONDS >= last)); then
      record url failed
      return 0
    fi
    ((good == 3)) || sleep "$look_interval"
  done
  record url answers
}
