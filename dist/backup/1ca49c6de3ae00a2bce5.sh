# shellcheck shell=bash
# The part of the survey that decides how services can be swapped. Only a plan needs it.

# How a container ended, and where it may write.
readonly ending_fields=(
  '"id":{{json .ID}}'
  '"policy":{{json .HostConfig.RestartPolicy.Name}}'
  '"exitCode":{{json .State.ExitCode}}'
  '"outOfMemory":{{json .State.OOMKilled}}'
  # Only whether: the text may quote anything.
  '"startFailed":{{if .State.Error}}true{{else}}false{{end}}'
  '"finishedAt":{{json .State.FinishedAt}}'
  '"writes":[{{range .Mounts}}{{if .RW}}{{json .Destination}},{{end}}{{end}}null]'
)

# survey_swap IMAGES ID...: the containers of the project, and the ids of their images.
survey_swap() {
  local line id state finished shared=none sharing variables
  # All at the same time: each takes a while to ask Docker.
  exec {sharing}< <(sharers && echo whole)
  # Names of the variables that an image itself sets: they tell what it is based on.
  # shellcheck disable=SC2086 # ids are hex digits
  exec {variables}< <(docker image inspect --format \
    '{"id":{{json .ID}},"variables":[{{range .Config.Env}}{{json (index (split . "=") 0)}},{{end}}null]}' $1 2>/dev/null)
  while IFS=$'\t' read -r id state finished line; do
    record ending "$line"
    [[ $state != exited ]] || survey_end "$id" "$finished"
  done < <(docker inspect --format \
    "$(columns '{{.ID}}' '{{.State.Status}}' '{{.State.FinishedAt}}' "$(json_object "${ending_fields[@]}")")" "${@:2}")
  while IFS= read -r line; do
    shared=$line
    [[ $line == whole ]] || record sharer "$line"
  done <&"$sharing"
  [[ $shared == whole ]] || fail survey-incomplete 'Docker could not describe all containers of the host'
  while IFS= read -r line; do record image-variables "$line"; done <&"$variables"
  exec {sharing}<&- {variables}<&-
  survey_one_offs "${@:2}"
  record docker-since "$(docker_since)"
}

# survey_one_offs ID...: records `NAME IMAGE-ID` for each running container that `docker compose run` has made in the project of these.
survey_one_offs() {
  local project ids name image
  project=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "$1") || return 0
  ids=$(docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=True)
  # shellcheck disable=SC2086 # ids are hex digits
  [[ -z $ids ]] || while read -r name image; do
    record one-off "${name#/} $image"
  done < <(docker inspect --format '{{.Name}} {{.Image}}' $ids 2>/dev/null)
}

# survey_end ID FINISHED: records what Docker remembers of the end of a container. It keeps only its last few hundred events.
survey_end() {
  local end until actions
  end=$(date --date "$2" +%s) && until=$(date +%s.%N) || return 0
  # Docker would wait for a moment that lies ahead.
  ((end + 2 >= ${until%.*})) || until=$((end + 2))
  actions=$(timeout 5 docker events --since "$((end - 1))" --until "$until" \
    --filter "container=$1" --filter event=stop --filter event=kill --filter event=die --format '{{.Action}}' 2>/dev/null) || true
  record end-events "$1 $(tr '\n' ' ' <<<"$actions")"
}

# docker_since: the second since which this Docker may have been running. When it starts, or the host does, it has ended
# containers itself.
docker_since() {
  local uptime engine since
  read -r uptime _ </proc/uptime || uptime=0
  since=$(($(date +%s) - ${uptime%.*}))
  for engine in /run/docker.pid "${XDG_RUNTIME_DIR:-/run}/docker.pid"; do
    engine=$(stat --format %Y -- "$engine" 2>/dev/null) || continue
    ((engine <= since)) || since=$engine
  done
  printf '%s' "$since"
}
