# shellcheck shell=bash disable=SC2154,SC2034 # `plan` is read by url_answers
# Read-only: watches whether all containers of a project become healthy and stay so.

takes project
takes health_timeout stable_for # seconds
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

declare -A plan=() falls=()

main() {
  local patience line
  for line in "${address[@]}"; do plan[${line%% *}]=${line#* }; done

  patience=$((SECONDS + health_timeout))
  until all_settled || ((SECONDS >= patience)); do sleep "$look_interval"; done
  tell settled
  sleep "$stable_for"
  tell after
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
      running:unhealthy | dead:*) return 0 ;;
      exited:*) ((exit == 0)) && [[ $policy == @(|no|on-failure) ]] || return 0 ;;
      *) all= ;;
    esac
  done < <(docker inspect --format "$(columns "${state_fields[@]}")" $ids 2>/dev/null)
  # If the count differs, a container was removed in the meantime: look again.
  [[ -n $all ]] && ((count == $(wc -w <<<"$ids")))
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
  for id in $ids; do record words "$id $(timeout 5 docker logs --tail 3 "$id" 2>&1 </dev/null | tail -c 600 | tr '\n' ' ' || true)"; done
  # shellcheck disable=SC2046,SC2086 # ids are hex digits
  docker image inspect --format '{"id":{{json .ID}},"repoDigests":{{json .RepoDigests}}}' \
    $(docker inspect --format '{{.Image}}' $ids 2>/dev/null | sort -u) 2>/dev/null |
    while IFS= read -r json; do record image "$json"; done || true
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

# ends_in_time PROCESS: whether it ends within 5 s, else kills it: an unanswered connection takes minutes to fail.
ends_in_time() {
  local waited
  for ((waited = 0; waited < 50; waited++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  return 1
}
