# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Checks that the new containers are what they should be. Compose's own `--wait` is not enough: without a health check it
# accepts a container that is about to crash, and it checks nothing twice.

readonly look_interval=0.5

# await_answer SERVICE ID...: waits until each passes its own health check; does not wait if it has none.
await_answer() {
  local service=$1 id failed patience=$((SECONDS + plan[health_timeout]))
  shift
  for id in "$@"; do
    read_health_test "$id"
    failed=
    while :; do
      judge "$service" "$id" || return
      within_budget || return
      # Nobody can run a test in a task that has ended.
      if [[ $health == 'done' ]] || ! ((${#health_test[@]})); then break; fi
      try_test "$id" "$failed" "$patience" && break
      [[ $health != unhealthy ]] || is_ill "$service" "The health check of $service fails. $(last_health "$id")" || return
      ((SECONDS < patience)) || not_in_time "$service" "$failed" || return
      sleep "$look_interval"
    done
  done
  journal answers "$service"
}

# try_test ID FAILED [DEADLINE]: whether its own health test passes now. Sets `failed` to whether a test has failed so far, this
# one or one before. One that had no time left was not seen to fail, nor does one count that Docker would not count.
try_test() {
  local starting='' status=0
  failed=$2
  ! in_start_period "$1" || starting=yes
  is_well "$1" "${@:3}" || status=$?
  [[ -n $starting || $status == @(0|124) ]] || failed=yes
  return "$status"
}

# not_in_time SERVICE FAILED: it has not passed its own test within health-timeout. Only a test that failed says that it is ill.
not_in_time() {
  local later
  [[ -z $2 ]] || is_ill "$1" "$1 did not pass its health check within ${plan[health_timeout]} s" || return
  later=$(down_later "$1")
  broken still-starting "The health check of $1 neither passed nor failed within ${plan[health_timeout]} s$(may_wait "$later")"
}

# is_ill SERVICE TEXT: it was seen to fail its own test. That is not its fault if it may wait for a service whose turn comes later.
is_ill() {
  local later
  later=$(down_later "$1")
  [[ -z $later ]] || journal waits-for "$later"
  broken unhealthy "$2$(may_wait "$later")"
}

# down_later SERVICE: those services whose turn comes after it, and of which something did not run when this began.
down_later() {
  local service name state passed='' down=''
  for service in "${services[@]}"; do
    if [[ $service == "$1" ]]; then
      passed=yes
    elif [[ -n $passed && ${strategy[$service]} == recreate ]]; then
      while IFS=$'\t' read -r name _ _ state _; do
        [[ $name != "$service" || $state == running ]] || { down+=", $service" && break; }
      done <before.tsv
    fi
  done
  printf '%s' "${down#, }"
}

# may_wait SERVICES: says that it may be these that it waits for, if there are any.
may_wait() {
  [[ -z $1 ]] || printf '. It may wait for %s, which did not run, and whose turn is later: to roll that back first, name it in "services"' "$1"
}

# blames_target CODE: whether a failure shows that the target itself does not work, so that nobody should go back to it again:
# only what was seen to fail does. An address that does not answer may be due to today's settings or to a proxy.
blames_target() { [[ $1 == @(unhealthy|crashed|health-url) ]]; }

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
  [[ ${strategy[$1]} == restart || $image == "${target_image[$1]}" ]] || broken wrong-image "$1 runs $image, not the target" || return
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
  # With another logging driver, what Docker says is no output of the container.
  words=$(timeout 5 docker logs --tail 3 "$1" 2>&1 </dev/null) || { printf 'Docker cannot read its output' && return; }
  printf 'Its last output: %s' "$(tr '\n' ' ' <<<"${words:-none}")"
}

# When each new container was started. If that changes, the container was restarted in the meantime.
declare -A since=()

# pass_gates: looks at all services together: at their health, whether users get answers, then for `stable-for` without a change,
# then at the health-url. Each has passed its own test by now: Docker may take minutes to run it, and says `starting` until then.
pass_gates() {
  local service id patience=$((SECONDS + plan[health_timeout]))
  for service in "${services[@]}"; do
    for id in $(target_containers "$service"); do
      judge "$service" "$id" || return
      since[$id]=$started
      [[ $health != unhealthy ]] || broken unhealthy "The health check of $service fails. $(last_health "$id")" || return
    done
  done
  within_budget || return
  journal healthy
  users_get_answers || return

  local until=$((now + 1000 * plan[stable_for]))
  while tell_time && ((now < until)); do
    sleep "$look_interval"
    still_well || return
  done
  pass_again "$patience" || return
  journal stable "${plan[stable_for]}"
  await_url "$patience"
}

# pass_again DEADLINE: lets those pass their own tests once more for which Docker has not done so yet.
pass_again() {
  local service id failed
  for service in "${services[@]}"; do
    for id in $(target_containers "$service"); do
      read_health_test "$id"
      ((${#health_test[@]})) || continue
      failed=
      while judge "$service" "$id" || return; do
        [[ $health == starting ]] || break
        try_test "$id" "$failed" && break
        ((SECONDS < $1)) || not_in_time "$service" "$failed" || return
        sleep "$look_interval"
      done
    done
  done
  still_well
}

# still_well: whether no container has crashed or been restarted since it was found healthy (`since`).
still_well() {
  local service id
  for service in "${services[@]}"; do
    for id in $(target_containers "$service"); do
      judge "$service" "$id" || return
      [[ $health != unhealthy ]] || broken unhealthy "$service became unhealthy. $(last_health "$id")" || return
      # What stands ready for a timer may be started at any time.
      [[ ${strategy[$service]} == create-only || $started == "${since[$id]-}" ]] ||
        broken crashed "$service was restarted" || return
    done
  done
  within_budget
}

last_health() {
  docker inspect --format '{{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{"\n"}}{{end}}' "$1" | grep . | tail -n 1 || true
}

# await_url DEADLINE [drained]: waits until the health-url has answered three times in a row.
await_url() {
  local good=0 begun=$SECONDS reloaded=
  [[ -n ${plan[health_url]-} ]] || return 0
  while ((good < 3)); do
    if timeout 5 "$BASH" "$folder/engine.sh" ask-url; then good=$((good + 1)); else good=0; fi
    if ((good == 0 && SECONDS - begun >= reload_after)) && [[ -z $reloaded ]]; then
      reloaded=yes
      reload_neighbours
    fi
    ((good > 0 || SECONDS < $1)) || silent_url "${2-}" || return
    ((good == 3)) || sleep "$look_interval"
  done
  journal url-answers
}

# silent_url [drained]: the health-url does not answer. Once the old containers have gone, the target has already answered it: then
# a proxy may be to blame that still asks for those.
silent_url() {
  local text="${plan[health_url]} did not return success"
  if [[ -n $1 ]]; then broken no-answer "$text any more"; else broken health-url "$text"; fi
}
