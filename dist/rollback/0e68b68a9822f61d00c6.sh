# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Swaps the target in, and back out. New containers are created beside the old ones, which are kept until the rollback is
# proven. Going back means starting the old ones again, unchanged.

# Seconds after which a proxy has looked up the addresses of a service again.
readonly proxy_patience=2

# create_all: creates the new containers of all services without starting them. If that fails, nothing was stopped yet.
create_all() {
  local service id count taken created=() arguments=()
  for service in "${services[@]}"; do
    [[ ${strategy[$service]} != restart ]] || continue
    created+=("$service")
    count=$(how_many "$service")
    # Compose also counts containers that merely carry its labels.
    taken=$(labelled_containers "label=com.docker.compose.project=${plan[project]}" \
      "label=com.docker.compose.service=$service" | wc -l)
    arguments+=(--scale "$service=$((taken + count))")
  done
  # Without a name, compose would take all services.
  ((${#created[@]} == 0)) || (cd -- "${plan[deploy_dir]}" && run_compose --file "$folder/override.yml" up --no-start --no-deps \
    --no-recreate --no-build --pull never "${arguments[@]}" "${created[@]}") ||
    broken not-created 'docker compose could not create the new containers' || return
  for service in "${created[@]}"; do
    (($(new_containers "$service" | wc -l) == $(how_many "$service"))) ||
      broken not-created "docker compose created the wrong number of containers for $service" || return
    for id in $(new_containers "$service"); do
      [[ $(look "$id" '{{.Image}}') == "${target_image[$service]}" ]] ||
        broken wrong-image "The new container of $service was not created from the target image" || return
    done
  done
  for service in "${created[@]}"; do
    put_files "$service" || broken not-created "Docker could not write the configs and secrets of $service into its container" || return
  done
  drop_files
  note_targets || broken not-created 'Cannot record the new containers' || return
  for service in "${created[@]}"; do journal created "$service"; done
}

# put_files SERVICE: writes the files into the new containers that compose writes when it starts one itself.
put_files() {
  local id file=files.$1.tar.base64
  [[ -e $file ]] || return 0
  for id in $(new_containers "$1"); do base64 --decode <"$file" | docker cp - "$id:/" >/dev/null || return; done
}

# drop_files: they hold secrets, and are needed no longer than until the containers have them.
drop_files() { rm -f -- files.*.tar.base64; }

swap_all() {
  local service
  ! restores || { stop_writers && exchange_databases; } || return
  for service in "${services[@]}"; do
    "${strategy[$service]}" "$service" || return
  done
}

# recreate SERVICE: stops the old containers and starts the new ones, with nothing in between, to keep the downtime short.
recreate() {
  local service=$1 begin old new
  mapfile -t old < <(old_containers "$service")
  mapfile -t new < <(target_containers "$service")
  # From this line on, an engine that takes over restores the old containers.
  journal stopping "$service"
  # If Docker is restarted, it must not start old and new together.
  ((${#old[@]} == 0)) || steady update --restart=no "${old[@]}" || broken docker-failed "Docker could not update $service" || return
  take_names "$service" || broken docker-failed "Docker could not rename the containers of $service" || return
  tell_time
  begin=$now
  ((${#old[@]} == 0)) || stop "${old[@]}" || broken stop-failed "Docker could not stop $service" || return
  docker start "${new[@]}" >/dev/null </dev/null || broken not-started "Docker could not start the target of $service" || return
  tell_time
  begin=$((now - begin))
  aim_at "$service" "${new[0]}"
  journal started "$service $begin"
  ((${#old[@]} == 0)) || tell_stop "$service" "${old[0]}"
  await_answer "$service" "${new[@]}" && refresh_proxies "$service"
}

# tell_stop SERVICE ID: notes a container that had to be killed: it costs the whole stop-timeout every time.
tell_stop() {
  [[ $(look "$2" '{{.State.ExitCode}}') != 137 ]] || journal disobeyed "$1"
}

# Seconds that a container gets to stop where neither the input nor the container itself says.
readonly stop_patience=30

# stop ID...: stops them at once, each within the input's time, or else its own (compose's stop_grace_period).
stop() {
  local id own facts stops=() status=0
  # A container that is gone is told of by docker stop.
  facts=$(docker inspect --format '{{.ID}} {{json .Config.StopTimeout}}' "$@" 2>/dev/null </dev/null) || true
  for id in "$@"; do
    own=${plan[stop_timeout]-$(sed -n "s/^$id //p" <<<"$facts")}
    [[ $own =~ ^[0-9]+$ ]] || own=$stop_patience
    docker stop --time "$own" "$id" >/dev/null </dev/null &
    stops+=("$!")
  done
  for id in "${stops[@]}"; do wait "$id" || status=$?; done
  return "$status"
}

# take_names SERVICE: hands the names of the old containers over to the new ones, one each: others find them by it. A name that
# a killed compose has left half-way is not worth keeping.
take_names() {
  local id name at=0 new=()
  mapfile -t new < <(ordered_targets "$1")
  while IFS=$'\t' read -r id name; do
    [[ ${fixed_name[$1]} == - ]] || name=${fixed_name[$1]}
    if ((at < ${#new[@]})) && [[ ! $name =~ ^[0-9a-f]{12}_ ]]; then
      docker rename "$id" "$name.${plan[id]}" && docker rename "${new[at]}" "$name" || return
    fi
    at=$((at + 1))
  done < <(old_names "$1")
  # Nothing to take it from: the compose file says what it is called.
  ((at > 0)) || [[ ${fixed_name[$1]} == - ]] || docker rename "${new[0]}" "${fixed_name[$1]}"
}

# blue-green SERVICE: starts the new containers beside the old, which stop once all gates are passed.
blue-green() {
  local service=$1 new
  mapfile -t new < <(target_containers "$service")
  journal starting "$service"
  docker start "${new[@]}" >/dev/null </dev/null || broken not-started "Docker could not start the target of $service" || return
  journal started "$service"
  await_answer "$service" "${new[@]}" && refresh_proxies "$service"
}

# drain_all: stops the old containers of blue-green services, and lets them finish their requests.
drain_all() {
  local service old draining=()
  for service in "${services[@]}"; do
    [[ ${strategy[$service]} == blue-green ]] || continue
    mapfile -t old < <(old_containers "$service")
    ((${#old[@]})) || continue
    steady update --restart=no "${old[@]}" || broken docker-failed "Docker could not update $service" || return
    journal draining "$service"
    aim_at "$service" "$(target_containers "$service")"
    take_names "$service" || broken docker-failed "Docker could not rename the containers of $service" || return
    draining+=("$service")
  done
  ((${#draining[@]})) || return 0
  # While Docker renames a container, its DNS does not know it: a proxy that asks then goes on with the old ones alone, until it asks
  # again. And it may need longer than the gates took to find the new ones at all.
  sleep "$proxy_patience"
  for service in "${draining[@]}"; do
    mapfile -t old < <(old_containers "$service")
    stop "${old[@]}" || broken stop-failed "Docker could not stop $service" || return
    journal drained "$service"
    refresh_proxies "$service"
    tell_stop "$service" "${old[0]}"
  done
  still_well && users_get_answers 3 && await_url "$((SECONDS + 30))" drained
}

# restore_all: restores the previous release, in the reverse order of the swap.
restore_all() {
  local at whole=0
  for ((at = ${#services[@]} - 1; at >= 0; at--)); do
    restore "${services[at]}" || whole=1
  done
  return "$whole"
}

# restore SERVICE: restores its old containers. Safe to repeat after an interruption at any point.
restore() {
  local service id name state policy ids new=() old=() lost=0 ran=0 failed=
  # If Docker cannot list the containers, do not conclude that there are none.
  ids=$(new_containers "$1") || not_back "Docker could not list the containers of $1" || return
  [[ -z $ids ]] || mapfile -t new <<<"$ids"
  [[ ${strategy[$1]} == blue-green ]] || stop_again "${new[@]}"
  while IFS=$'\t' read -r service id name state _ _ policy; do
    [[ $service == "$1" ]] || continue
    if ! exists "$id"; then
      lost=$((lost + 1))
      ! runs_on "$service" "$state" || ran=$((ran + 1))
      continue
    fi
    old+=("$id")
    [[ $policy != :* ]] || policy=no
    give_name_back "$id" "${name#/}" "${new[@]}" && steady update "--restart=${policy%:0}" "$id" &&
      attach "$id" && { ! runs_on "$service" "$state" || steady start "$id"; } || failed="Docker could not start the previous release of $1 as it was"
  done <before.tsv
  [[ ${strategy[$1]} != blue-green ]] || { hand_back "$1" && stop_again "${new[@]}"; }
  if ((${#new[@]})); then
    for id in "${new[@]}"; do keep_evidence "$id" "$1.target.${id:0:12}"; done
    steady rm --force "${new[@]}" || failed="Docker could not remove the target's containers of $1"
  fi
  ((lost == 0)) || bring_back "$1" "$lost" "$ran" || failed="The previous release of $1 had been removed, and could not be created again"
  [[ -z $failed ]] || not_back "$failed" || return
  ((${#old[@]} == 0)) || aim_at "$1" "${old[0]}"
  [[ ${strategy[$1]} != job ]] || ! has running "$1" || run_again "$1" "${old[@]}"
  refresh_proxies "$1"
  journal restored "$1"
}

# runs_on SERVICE STATE: whether a container that was in this state is to run again. A job is run again on its own terms.
runs_on() { [[ ${strategy[$1]} != job && $2 == @(running|restarting) ]]; }

stop_again() { (($# == 0)) || stop "$@" 2>/dev/null || true; }

# hand_back SERVICE: lets the new container serve until the old one is healthy again and the proxy has found it.
hand_back() {
  local service id health patience=$((SECONDS + plan[health_timeout]))
  has draining "$1" || return 0
  while IFS=$'\t' read -r service id _ _ health _; do
    if [[ $service != "$1" || $health != healthy ]] || ! exists "$id"; then continue; fi
    read_health_test "$id"
    until is_well "$id" "$patience" || ((SECONDS >= patience)); do sleep "$look_interval"; done
  done <before.tsv
  sleep "$proxy_patience"
}

# give_name_back ID NAME NEW...: gives an old container its name back; a new one that has the name gives it up.
give_name_back() {
  local id=$1 name=$2 new
  shift 2
  [[ $(name_of "$id") != "$name" ]] || return 0
  for new in "$@"; do
    [[ $(name_of "$new") != "$name" ]] || steady rename "$new" "$name.target.${plan[id]}" || return
  done
  steady rename "$id" "$name"
}

# bring_back SERVICE LOST RAN: somebody has removed so many of its old containers, so compose creates as many from the same image;
# as many are started as were running. Safe to repeat.
bring_back() {
  local taken here ids id started=0
  taken=$(labelled_containers "label=com.docker.compose.project=${plan[project]}" "label=com.docker.compose.service=$1") || return
  here=$(replacements "$1") || return
  taken=$(grep -c . <<<"$taken")
  here=$(grep -c . <<<"$here")
  (cd -- "${plan[deploy_dir]}" && run_compose --file "$folder/revert.yml" up --no-start --no-deps --no-recreate --no-build \
    --pull never --scale "$1=$((taken + $2 - here))" "$1") || return
  ids=$(replacements "$1") || return
  for id in $ids; do
    ((started < $3)) || break
    steady start "$id" || return
    started=$((started + 1))
  done
}

# replacements SERVICE: ids of its containers that are neither old, nor of the target, nor left by an earlier transaction.
replacements() {
  local all new
  all=$(project_containers "${plan[project]}" "label=com.docker.compose.service=$1") && new=$(new_containers "$1") || return
  without "$(old_containers "$1" && left_there aside && printf '%s\n' "${new:-none}")" "$all"
}

# came_back: whether the previous release is running again, and is as healthy as it was. Notes what is not.
came_back() {
  local service id state health image now patience=$((SECONDS + plan[health_timeout]))
  while IFS=$'\t' read -r service id _ state health image _; do
    [[ $state == running && ${strategy[$service]} != job ]] || continue
    exists "$id" || id=$(replacements "$service")
    id=${id%%$'\n'*}
    now=$(look "$id" '{{.Image}}') || not_back "The previous release of $service is gone, or Docker does not answer" || return
    [[ $now == "$image" ]] || not_back "The previous release of $service is not what runs now" || return
    read_health_test "$id"
    until now=$(look "$id" '{{.State.Status}}') && [[ $now == running ]] &&
      { [[ $health != healthy ]] || is_well "$id" "$patience"; }; do
      if ((SECONDS >= patience)); then
        [[ $now != running ]] || now='running, but did not pass its health check'
        not_back "Within ${plan[health_timeout]} s (health-timeout), the previous release of $service did not come back well: it is ${now:-gone, or Docker does not answer}"
        return
      fi
      sleep "$look_interval"
    done
  done <before.tsv
}

# not_back TEXT: notes why the previous release is not as it was, and fails.
not_back() {
  journal problem "$1"
  return 1
}
