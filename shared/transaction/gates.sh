# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Checks that the new containers are what they should be. Compose's own `--wait` is not enough: without a health check it
# accepts a container that is about to crash, and it checks nothing twice.

readonly look_interval=0.5

# await_answer SERVICE ID...: waits until each passes its own health check; does not wait if it has none.
await_answer() {
  local service=$1 id patience=$((SECONDS + plan[health_timeout]))
  shift
  for id in "$@"; do
    read_health_test "$id"
    while :; do
      judge "$service" "$id" || return
      within_budget || return
      ((${#health_test[@]})) || break
      ! is_well "$id" || break
      [[ $health != unhealthy ]] || broken unhealthy "The health check of $service fails. $(last_health "$id")" || return
      ((SECONDS < patience)) ||
        broken unhealthy "$service did not pass its health check within ${plan[health_timeout]} s" || return
      sleep "$look_interval"
    done
  done
  journal answers "$service"
}

readonly state_fields='{{.State.Status}}''{{"\t"}}'\
'{{.RestartCount}}''{{"\t"}}'\
'{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}''{{"\t"}}'\
'{{.State.ExitCode}}''{{"\t"}}'\
'{{.Image}}''{{"\t"}}'\
'{{.State.StartedAt}}''{{"\t"}}'\
'{{.HostConfig.RestartPolicy.Name}}'

# judge SERVICE ID: whether the container runs the target and has not crashed; sets `health` and `started`.
judge() {
  local facts state restarts exit image policy
  facts=$(look "$2" "$state_fields") ||
    broken container-lost "The new container of $1 is gone" || return
  IFS=$'\t' read -r state restarts health exit image started policy <<<"$facts"
  [[ $image == "${target_image[$1]}" ]] || broken wrong-image "$1 runs $image, not the target" || return
  if [[ ${strategy[$1]} == create-only || (${strategy[$1]} == job && $state == exited && $exit == 0) ]]; then
    health='done'
    return
  fi
  if [[ $state == restarting || $restarts != 0 ]]; then
    broken crashed "$1 exited and was restarted (exit $exit). $(last_words "$2")" || return
  elif [[ $state == exited && $exit == 0 && $policy == @(|no|on-failure) ]] && has_one_task "$1"; then
    health='done'
  elif [[ $state != running ]]; then
    broken crashed "$1 is not running: $state (exit $exit). $(last_words "$2")" || return
  fi
}

# has_one_task SERVICE: whether it is a one-off task: its old containers had exited too. What was running must keep running.
has_one_task() {
  local service id state
  while IFS=$'\t' read -r service id _ state _; do
    [[ $service != "$1" || $state == @(exited|created) ]] || return
  done <before.tsv
}

last_words() {
  local words
  words=$(timeout 5 docker logs --tail 3 "$1" 2>&1 </dev/null | tr '\n' ' ') || true
  printf 'Its last output: %s' "${words:-none}"
}

# When each new container was started. If that changes, the container was restarted in the meantime.
declare -A since=()

# pass_gates: waits for health as Docker sees it, then for `stable-for` without a change, then for the health-url. Checks all
# services together.
pass_gates() {
  local service id all patience=$((SECONDS + plan[health_timeout]))
  while :; do
    all=yes
    for service in "${services[@]}"; do
      for id in $(target_containers "$service"); do
        judge "$service" "$id" || return
        since[$id]=$started
        case $health in
          healthy | none | done) ;;
          unhealthy) broken unhealthy "The health check of $service fails. $(last_health "$id")" || return ;;
          *) all="$service is still $health" ;;
        esac
      done
    done
    within_budget || return
    [[ $all != yes ]] || break
    ((SECONDS < patience)) || broken unhealthy "$all after ${plan[health_timeout]} s" || return
    sleep "$look_interval"
  done
  journal healthy

  local until=$((now + 1000 * plan[stable_for]))
  while tell_time && ((now < until)); do
    sleep "$look_interval"
    still_well || return
  done
  journal stable "${plan[stable_for]}"
  await_url "$patience"
}

# still_well: whether no container has crashed or been restarted since it was found healthy (`since`).
still_well() {
  local service id
  for service in "${services[@]}"; do
    for id in $(target_containers "$service"); do
      judge "$service" "$id" || return
      [[ $health != unhealthy ]] || broken unhealthy "$service became unhealthy. $(last_health "$id")" || return
      [[ $started == "${since[$id]-}" ]] || broken crashed "$service was restarted" || return
    done
  done
  within_budget
}

last_health() {
  docker inspect --format '{{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{"\n"}}{{end}}' "$1" | grep . | tail -n 1 || true
}

# await_url DEADLINE: waits until the health-url has answered three times in a row.
await_url() {
  local good=0
  [[ -n ${plan[health_url]-} ]] || return 0
  while ((good < 3)); do
    if timeout 5 "$BASH" "$folder/engine.sh" ask-url; then good=$((good + 1)); else good=0; fi
    ((good > 0 || SECONDS < $1)) || broken health-url "${plan[health_url]} did not return success" || return
    ((good == 3)) || sleep "$look_interval"
  done
  journal url-answers
}
