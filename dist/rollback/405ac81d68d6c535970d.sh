# shellcheck shell=bash disable=SC2154 # the tables are those of read_plan
# Services that are not swapped to serve: jobs that others await, and services that stay stopped.

# job SERVICE: runs a job from the target to its end, as compose does before it starts what awaits it. Whatever serves goes on
# serving meanwhile.
job() {
  local service=$1 id old new
  mapfile -t old < <(old_containers "$service")
  mapfile -t new < <(target_containers "$service")
  # From this line on, an engine that takes over restores the old containers.
  journal running "$service"
  if ((${#old[@]})); then
    steady update --restart=no "${old[@]}" || broken docker-failed "Docker could not update $service" || return
    # A job of the old release may still be running.
    stop "${old[@]}" || broken stop-failed "Docker could not stop $service" || return
  fi
  take_names "$service" || broken docker-failed "Docker could not rename the containers of $service" || return
  docker start "${new[@]}" >/dev/null </dev/null || broken not-started "Docker could not start the target of $service" || return
  for id in "${new[@]}"; do await_end "$service" "$id" || return; done
  journal completed "$service"
}

# await_end SERVICE ID: waits until the job has ended with 0.
await_end() {
  local facts
  facts=$(outlast "$2") || broken container-lost "The new container of $1 is gone" || return
  case $facts in
    'exited 0') within_budget ;;
    exited* | dead*) broken job-failed "The job $1 failed with exit ${facts#* }. $(last_words "$2")" ;;
    *) broken job-failed "The job $1 did not end within ${plan[health_timeout]} s (health-timeout). $(last_words "$2")" ;;
  esac
}

# run_again SERVICE ID...: the target's job may have changed what the previous release works with, such as its assets. Its own
# job makes that right, as it does at every `docker compose up`. One that had failed before is left as it is.
run_again() {
  local service=$1 id facts
  shift
  for id in "$@"; do
    [[ $(look "$id" '{{.State.Status}} {{.State.ExitCode}}') == 'exited 0' ]] || continue
    journal running-again "$service"
    facts='not started'
    if steady start "$id"; then facts=$(outlast "$id"); fi
    [[ $facts == 'exited 0' ]] ||
      journal problem "The job $service of the previous release was run again, and did not complete: $facts"
  done
}

# outlast ID: waits until a job has ended, and prints `STATE EXIT`: one that its restart policy starts again has not ended. Gives
# up after health-timeout.
outlast() {
  local facts patience=$((SECONDS + plan[health_timeout]))
  while facts=$(look "$1" '{{.State.Status}} {{.State.ExitCode}}'); do
    if [[ $facts == @(exited|dead)\ * ]] || ((SECONDS >= patience)); then
      printf '%s' "$facts"
      return
    fi
    sleep "$look_interval"
  done
  return 1
}

# create-only SERVICE: it stays as stopped as it is; only its container is one of the target.
create-only() {
  journal stays-stopped "$1"
  take_names "$1" || broken docker-failed "Docker could not rename the containers of $1"
}

# still_stopped: whether nobody has started what is to stay stopped, or a job, since the plan was made.
still_stopped() {
  local service id state
  while IFS=$'\t' read -r service id _ state _; do
    [[ ${strategy[$service]} != create-only || $state == @(exited|created|dead) ]] ||
      broken plan-stale "$service was to stay stopped, but has been started since the plan was made" || return
    [[ ${strategy[$service]} != job || $state != @(running|restarting) ]] ||
      broken plan-stale "The job $service has been started since the plan was made, and is still running" || return
  done <before.tsv
}
