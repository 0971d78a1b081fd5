# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Takes the target into use, and takes it back. New containers are made beside the old, which are kept until all is well: to
# go back is to start them again, as they were.

# Seconds after which a proxy has looked the addresses of a service up anew.
readonly proxy_patience=2

# create_all: the new containers of every service, not started. What can't be made is known before anything stops.
create_all() {
  local service id count taken arguments=()
  for service in "${services[@]}"; do
    count=$(old_containers "$service" | wc -l)
    # Compose counts those as well that only have its labels.
    taken=$(labelled_containers "label=com.docker.compose.project=${plan[project]}" \
      "label=com.docker.compose.service=$service" | wc -l)
    arguments+=(--scale "$service=$((taken + (count == 0 ? 1 : count)))")
  done
  (cd -- "${plan[deploy_dir]}" && run_compose --file "$folder/override.yml" up --no-start --no-deps --no-recreate \
    --no-build --pull never "${arguments[@]}" "${services[@]}") ||
    broken not-created 'Compose could not make the new containers' || return
  for service in "${services[@]}"; do
    count=$(old_containers "$service" | wc -l)
    (($(new_containers "$service" | wc -l) == (count == 0 ? 1 : count))) ||
      broken not-created "Compose made another number of containers of $service" || return
    for id in $(new_containers "$service"); do
      [[ $(look "$id" '{{.Image}}') == "${target_image[$service]}" ]] ||
        broken wrong-image "The new container of $service is not made from the target" || return
    done
  done
  note_targets || broken not-created 'The new containers could not be noted' || return
  for service in "${services[@]}"; do journal created "$service"; done
}

swap_all() {
  local service
  for service in "${services[@]}"; do
    "${strategy[$service]}" "$service" || return
  done
}

# recreate SERVICE: its gap is its own stop and start, and nothing between them but names.
recreate() {
  local service=$1 begin old new
  mapfile -t old < <(old_containers "$service")
  mapfile -t new < <(target_containers "$service")
  # From here on whoever takes over puts the old ones back as they were.
  journal stopping "$service"
  # Docker, when it is restarted, must not bring both back.
  ((${#old[@]} == 0)) || steady update --restart=no "${old[@]}" || broken docker-failed "Docker could not update $service" || return
  tell_time
  begin=$moment
  ((${#old[@]} == 0)) || stop "${old[@]}" || broken stop-failed "Docker could not stop $service" || return
  take_name "$service" || broken docker-failed "Docker could not rename the containers of $service" || return
  docker start "${new[@]}" >/dev/null </dev/null || broken not-started "Docker could not start the target of $service" || return
  tell_time
  begin=$((moment - begin))
  aim_at "$service" "${new[0]}"
  journal started "$service $begin"
  ((${#old[@]} == 0)) || tell_stop "$service" "${old[0]}"
  await_answer "$service" "${new[@]}"
}

# One that does not obey is said to be so: it costs the whole patience each time.
tell_stop() {
  [[ $(look "$2" '{{.State.ExitCode}}') != 137 ]] || journal disobeyed "$1"
}

stop() { docker stop --time "${plan[stop_timeout]}" "$@" >/dev/null </dev/null; }

# take_name SERVICE: the name that the compose file gives goes over to the new container.
take_name() {
  local old new
  [[ ${fixed_name[$1]} != - ]] || return 0
  old=$(old_containers "$1")
  new=$(target_containers "$1")
  [[ -z $old ]] || docker rename "$old" "${fixed_name[$1]}.${plan[id]}" || return
  docker rename "$new" "${fixed_name[$1]}"
}

# blue-green SERVICE: the new containers beside the old, which go when all gates are passed.
blue-green() {
  local service=$1 new
  mapfile -t new < <(target_containers "$service")
  journal starting "$service"
  docker start "${new[@]}" >/dev/null </dev/null || broken not-started "Docker could not start the target of $service" || return
  journal started "$service"
  await_answer "$service" "${new[@]}"
}

# drain_all: the old containers beside new ones are stopped, and finish what they are at.
drain_all() {
  local service old drained=
  for service in "${services[@]}"; do
    [[ ${strategy[$service]} == blue-green ]] || continue
    mapfile -t old < <(old_containers "$service")
    ((${#old[@]})) || continue
    # The gates may have taken less time than the proxy needs to know of the new ones.
    [[ -n $drained ]] || ((plan[stable_for] >= proxy_patience)) || sleep "$proxy_patience"
    steady update --restart=no "${old[@]}" || broken docker-failed "Docker could not update $service" || return
    journal draining "$service"
    aim_at "$service" "$(target_containers "$service")"
    stop "${old[@]}" || broken stop-failed "Docker could not stop $service" || return
    journal drained "$service"
    tell_stop "$service" "${old[0]}"
    drained=yes
  done
  [[ -n $drained ]] || return 0
  still_well && await_url "$((SECONDS + 30))"
}

# restore_all: what ran before runs again; the last that was swapped comes first.
restore_all() {
  local at whole=0
  for ((at = ${#services[@]} - 1; at >= 0; at--)); do
    restore "${services[at]}" || whole=1
  done
  return "$whole"
}

# restore SERVICE: may be called again, whatever it had done before.
restore() {
  local service id name state policy ids new=() old=() lost='' whole=0
  # Those that cannot be asked for are not gone.
  ids=$(new_containers "$1") || return
  [[ -z $ids ]] || mapfile -t new <<<"$ids"
  [[ ${strategy[$1]} == blue-green ]] || stop_again "${new[@]}"
  while IFS=$'\t' read -r service id name state _ _ policy; do
    [[ $service == "$1" ]] || continue
    if ! exists "$id"; then
      lost=yes
      continue
    fi
    old+=("$id")
    [[ $policy != :* ]] || policy=no
    give_name_back "$id" "${name#/}" "${new[@]}" && steady update "--restart=${policy%:0}" "$id" &&
      { [[ $state != running && $state != restarting ]] || steady start "$id"; } || whole=1
  done <before.tsv
  [[ ${strategy[$1]} != blue-green ]] || { hand_back "$1" && stop_again "${new[@]}"; }
  if ((${#new[@]})); then
    for id in "${new[@]}"; do keep_evidence "$id" "$1.target.${id:0:12}"; done
    steady rm --force "${new[@]}" || whole=1
  fi
  [[ -z $lost ]] || bring_back "$1" || whole=1
  ((whole == 0)) || return
  ((${#old[@]} == 0)) || aim_at "$1" "${old[0]}"
  journal restored "$1"
}

stop_again() { (($# == 0)) || stop "$@" 2>/dev/null || true; }

# hand_back SERVICE: of two that run side by side, the new one serves until the old one does, and the proxy knows of it.
hand_back() {
  local service id health patience=$((SECONDS + plan[health_timeout]))
  has draining "$1" || return 0
  while IFS=$'\t' read -r service id _ _ health _; do
    if [[ $service != "$1" || $health != healthy ]] || ! exists "$id"; then continue; fi
    read_health_test "$id"
    until is_well "$id" || ((SECONDS >= patience)); do sleep "$look_interval"; done
  done <before.tsv
  sleep "$proxy_patience"
}

# give_name_back ID NAME NEW...: whoever has it of the new ones gives it up.
give_name_back() {
  local id=$1 name=$2 new
  shift 2
  [[ $(name_of "$id") != "$name" ]] || return 0
  for new in "$@"; do
    [[ $(name_of "$new") != "$name" ]] || steady rename "$new" "$name.target.${plan[id]}" || return
  done
  steady rename "$id" "$name"
}

# bring_back SERVICE: its old container is gone, removed by somebody: compose makes one from the image that it had.
bring_back() {
  (cd -- "${plan[deploy_dir]}" && run_compose --file "$folder/revert.yml" up --detach --no-deps --no-build --pull never "$1")
}

# came_back: what ran before runs again, and is as well as it was.
came_back() {
  local service id state health image now patience=$((SECONDS + plan[health_timeout]))
  while IFS=$'\t' read -r service id _ state health image _; do
    [[ $state == running ]] || continue
    exists "$id" || id=$(project_containers "${plan[project]}" "label=com.docker.compose.service=$service")
    id=${id%%$'\n'*}
    [[ $(look "$id" '{{.Image}}') == "$image" ]] || return
    read_health_test "$id"
    until now=$(look "$id" '{{.State.Status}}') && [[ $now == running ]] &&
      { [[ $health != healthy ]] || is_well "$id"; }; do
      ((SECONDS < patience)) || return
      sleep "$look_interval"
    done
  done <before.tsv
}
