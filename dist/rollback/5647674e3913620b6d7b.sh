# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Everything that the transaction asks Docker about its containers. The old containers are kept until the rollback is proven;
# the new ones carry the transaction's label.

readonly label=atlasia.transaction
# Docker may be restarted while we work: how many seconds to wait for it.
readonly docker_patience=120

# steady COMMAND...: runs a docker command that is safe to repeat, and repeats it if Docker was away in the meantime.
steady() {
  local error status=0
  error=$(docker "$@" 2>&1 >/dev/null </dev/null) || status=$?
  if ((status)) && ! docker version >/dev/null 2>&1; then
    await_docker || return
    status=0
    error=$(docker "$@" 2>&1 >/dev/null </dev/null) || status=$?
  fi
  ((status == 0)) || printf '%s\n' "$error" >&2
  return "$status"
}

await_docker() {
  local patience=$((SECONDS + docker_patience))
  until docker version >/dev/null 2>&1; do
    ((SECONDS < patience)) || { echo 'Docker does not answer' >&2 && return 1; }
    sleep 0.5
  done
}

# new_containers [SERVICE]: ids of the containers with the transaction's label.
new_containers() {
  local ids filters=("label=$label=${plan[id]}" ${1:+"label=com.docker.compose.service=$1"})
  ids=$(project_containers "${plan[project]}" "${filters[@]}") ||
    { await_docker && ids=$(project_containers "${plan[project]}" "${filters[@]}"); } || return
  [[ -z $ids ]] || printf '%s\n' "$ids"
}

# The columns of before.tsv.
readonly old_fields='{{index .Config.Labels "com.docker.compose.service"}}''{{"\t"}}'\
'{{.ID}}''{{"\t"}}'\
'{{.Name}}''{{"\t"}}'\
'{{.State.Status}}''{{"\t"}}'\
'{{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}}''{{"\t"}}'\
'{{.Image}}''{{"\t"}}'\
'{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}'
# Of a container, for evidence: nothing of its environment.
readonly evidence_fields='{'\
'"name":{{json .Name}}'','\
'"image":{{json .Config.Image}}'','\
'"imageId":{{json .Image}}'','\
'"created":{{json .Created}}'','\
'"restarts":{{json .RestartCount}}'','\
'"restartPolicy":{{json .HostConfig.RestartPolicy}}'','\
'"ports":{{json .NetworkSettings.Ports}}'','\
'"state":{{json .State}}''}'

# Writes before.tsv: service, id, name, state, health, image id, restart policy; without what an earlier transaction has put
# aside, which left.tsv names. Runs under the lock, before any changes.
note_containers() {
  local service ids left found noted=''
  ids=$(project_containers "${plan[project]}") || return
  # shellcheck disable=SC2086 # ids are hex digits
  left=$(left_behind "${folder%/*}" $ids) || return
  printf '%s\n' "$left" >left.tsv || return
  for service in "${services[@]}"; do
    ids=$(project_containers "${plan[project]}" "label=com.docker.compose.service=$service") || return
    ids=$(without "$(left_there aside)" "$ids")
    # shellcheck disable=SC2086 # ids are hex digits
    [[ -z $ids ]] || { found=$(docker inspect --format "$old_fields" $ids) && noted+=$found$'\n'; } || return
  done
  put_table "$noted" before
}

# put_table TEXT NAME: writes NAME.tsv, or fails: where a disk is full, part of a table would pass for the whole of it.
put_table() {
  { printf '%s' "$1" >"$2.new" && settle "$2.new" "$2.tsv"; } ||
    broken disk-full 'The folder of the transaction cannot be written'
}

# left_there HOW: ids of the containers that an earlier transaction has left `aside`, or `beside` what it was to replace.
left_there() { [[ ! -e left.tsv ]] || sed -n "s/^$1 //p" left.tsv; }

# without IDS ALL: those of ALL that are not among IDS, a line each.
without() { grep -vxF -- "${1:-none}" <<<"$2" | grep . || true; }

# how_many SERVICE: how many containers it is to have. What runs beside another is replaced, but does not count.
how_many() {
  local count
  count=$(without "$(left_there beside)" "$(old_containers "$1")" | wc -l)
  printf '%s' "$((count == 0 ? 1 : count))"
}

# old_containers SERVICE: ids of the containers found at the start.
old_containers() {
  local service id
  while IFS=$'\t' read -r service id _; do
    [[ $service != "$1" ]] || printf '%s\n' "$id"
  done <before.tsv
}

# at_work SERVICE: those of them that ran, also between two tries: an application often ends for want of its database.
at_work() {
  local service id state
  while IFS=$'\t' read -r service id _ state _; do
    [[ $service != "$1" || $state != @(running|restarting) ]] || printf '%s\n' "$id"
  done <before.tsv
}

# old_names SERVICE: ids and names of the containers found at the start, in the order of the names.
old_names() {
  local service id name
  while IFS=$'\t' read -r service id name _; do
    [[ $service != "$1" ]] || printf '%s\t%s\n' "$id" "${name#/}"
  done <before.tsv | sort -k 2,2V
}

# ordered_targets SERVICE: ids of the containers created from the target, in the order of their names.
ordered_targets() {
  local ids
  mapfile -t ids < <(target_containers "$1")
  if ((${#ids[@]} < 2)); then
    printf '%s\n' "${ids[@]}"
  else
    docker inspect --format '{{.ID}} {{.Name}}' "${ids[@]}" | sort -k 2,2V | cut -d ' ' -f 1
  fi
}

# alone_in_them SHARERS: whether no other container has come to depend on an old one since the plan was made.
alone_in_them() {
  local sharer what of service id own
  while read -r sharer what of; do
    while IFS=$'\t' read -r service id own _; do
      [[ $of != "${own#/}" && (${#of} -lt 12 || $id != "$of"*) ]] ||
        broken plan-stale "$sharer uses the $what of ${own#/} ($service) since the plan was made" || return
    done <before.tsv
  done <<<"$1"
}

# Writes after.tsv: service and id of the new containers. From then on the gates check exactly these: if somebody else runs
# compose in the meantime, it silently replaces containers.
note_targets() {
  local service id ids noted=''
  for service in "${services[@]}"; do
    # What is only restarted is its own target.
    if [[ ${strategy[$service]} == restart ]]; then ids=$(at_work "$service"); else ids=$(new_containers "$service"); fi || return
    for id in $ids; do noted+=$service$'\t'$id$'\n'; done
  done
  put_table "$noted" after
}

# target_containers SERVICE: ids of the containers created from the target.
target_containers() {
  local service id
  while IFS=$'\t' read -r service id; do
    [[ $service != "$1" ]] || printf '%s\n' "$id"
  done <after.tsv
}

# Removes leftovers of a compose that was killed half-way: their names start with twelve hex digits. Such a container was
# never started, and another one of the same service exists, so nobody needs it.
mend_leftovers() {
  local service id name state mended=
  while IFS=$'\t' read -r service id name state _; do
    [[ $name =~ ^/[0-9a-f]{12}_ && $state == created ]] || continue
    (($(old_containers "$service" | wc -l) > 1)) || continue
    steady rm --force "$id" || return
    journal mended "${name#/}"
    mended=yes
  done <before.tsv
  [[ -z $mended ]] || note_containers
}

# look ID FORMAT: prints what Docker knows about the container; fails if it does not exist. Waits while Docker is away.
look() {
  local said
  said=$(docker inspect --format "$2" "$1" 2>/dev/null </dev/null) ||
    { await_docker && said=$(docker inspect --format "$2" "$1" 2>/dev/null </dev/null); } || return
  printf '%s' "$said"
}

exists() { look "$1" x >/dev/null; }

name_of() {
  local name
  name=$(look "$1" '{{.Name}}') || return
  printf '%s' "${name#/}"
}

readonly run_format='{{.State.StartedAt}} {{.State.Running}}'

# Writes witness.tsv: other containers on this host, and since when they have been running. And listens to Docker from now on.
# `listener` is empty in an engine that has taken over.
note_witnesses() {
  local id
  listen >/dev/null &
  listener=$!
  for id in $(docker ps --quiet --no-trunc | head -n 20); do
    grep -q -- "$id" before.tsv || printf '%s\t%s\n' "$id" "$(look "$id" "$run_format")"
  done >witness.tsv
}

# listen: lasts for as long as its connection to Docker does, which is as long as Docker runs; but no longer than the engine.
listen() {
  local events client status=142
  exec {events}< <(exec docker events --filter label=atlasia.nothing 2>/dev/null </dev/null)
  client=$!
  # Above 128: nothing was said within the second.
  while ((status > 128)) && kill -0 "$$" 2>/dev/null; do
    status=0
    read -r -t 1 -u "$events" || status=$?
  done
  kill "$client" 2>/dev/null || true
}

# docker_was_restarted: whether Docker no longer talks to the listener, and every remaining witness was stopped or restarted: one of
# them alone may have been restarted by itself. If so, a crash may not be the target's fault.
docker_was_restarted() {
  local id run now found=
  await_docker || return
  [[ -n ${listener-} ]] || return
  ! kill -0 "$listener" 2>/dev/null || return
  while IFS=$'\t' read -r id run; do
    now=$(look "$id" "$run_format") || continue
    [[ $now != "$run" ]] || return 1
    found=yes
  done 2>/dev/null <witness.tsv
  [[ -n $found ]]
}

# keep_evidence ID NAME: saves the container's log and state, without its environment.
keep_evidence() {
  local file=evidence/$2
  mkdir -p evidence
  # Where Docker cannot read its output, what Docker says of that would pass for it.
  timeout 20 docker logs --timestamps --tail 5000 "$1" >"$file.log" 2>&1 </dev/null || [[ $(wc -l <"$file.log") != 1 ]] || : >"$file.log"
  docker inspect --format "$evidence_fields" \
    "$1" >"$file.json" 2>/dev/null </dev/null || true
}
