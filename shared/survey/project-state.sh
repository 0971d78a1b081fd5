# shellcheck shell=bash
# One hash of everything that a rollback is planned on: if it has changed once we have the lock, the plan is outdated.

# compose_command PROJECT LINE...: sets `compose` to the command for this project, to be run in the deploy folder, and
# `compose_sources` to its files. Each line is an option and its value: `file PATH`, `env-file PATH`, `project-directory PATH`,
# `profile NAME`; or `variable NAME=VALUE`, which holds unless the environment has that variable.
compose_command() {
  local line name
  local variables=()
  compose=(docker compose) compose_sources=()
  [[ -z $1 ]] || compose+=(--project-name "$1")
  for line in "${@:2}"; do
    if [[ $line == variable\ * ]]; then
      name=${line#* } name=${name%%=*}
      [[ -v $name ]] || variables+=("${line#* }")
    else
      compose+=("--${line%% *}" "${line#* }")
      [[ $line != file\ * ]] || compose_sources+=("${line#* }")
    fi
  done
  ((${#variables[@]} == 0)) || compose=(env "${variables[@]}" "${compose[@]}")
}

# inline_values CONFIG: prints the configuration with the values of variables that configs and secrets are made from: it has only
# their names. An x is in front of each that is set. Nothing if there are none.
inline_values() {
  local name names lines='x-values:'
  names=$(sed -nE 's/^ {6}"environment": "([A-Za-z_][A-Za-z0-9_]*)",?$/\1/p' <<<"$1" | sort -u)
  [[ -n $names ]] || return 0
  for name in $names; do lines+=$'\n'"  $name: \"\${$name+x}\${$name-}\""; done
  "${compose[@]}" --file - config --format json 2>/dev/null <<<"$lines" || true
}

# project_containers PROJECT [FILTER...]: ids of its containers, running or not.
project_containers() { compose_containers "label=com.docker.compose.project=$1" "${@:2}"; }

# compose_containers FILTER...: ids of the containers that compose created for services.
compose_containers() {
  local ids tries
  # If a container disappears meanwhile, start over.
  for tries in 1 2 3 4 5; do
    ids=$(labelled_containers "$@") || return
    # shellcheck disable=SC2086 # ids are hex digits
    if [[ -z $ids ]] || made_by_compose $ids; then return 0; fi
    ((tries < 5)) || return 1
  done
}

# labelled_containers FILTER...: ids of the containers with the labels by which compose recognizes its own.
labelled_containers() {
  local filters=() filter
  for filter in label=com.docker.compose.oneoff=False label=com.docker.compose.config-hash "$@"; do
    filters+=(--filter "$filter")
  done
  docker ps --all --quiet --no-trunc "${filters[@]}"
}

# The labels by which compose identifies a container; as JSON, because a foreign container's labels may contain any byte.
readonly identity='{{with .Config.Labels}}'\
'{{json (index . "com.docker.compose.project")}} '\
'{{json (index . "com.docker.compose.service")}} '\
'{{json (index . "com.docker.compose.container-number")}} '\
'{{json (index . "com.docker.compose.config-hash")}} '\
'{{json (index . "com.docker.compose.image")}}'\
'{{end}}'

# made_by_compose ID...: ids of those that did not inherit their labels from the image. `docker commit` copies the labels of
# a container into the image, so every container run from it has them too. Containers that compose creates from such an
# image have a label that names the image.
made_by_compose() {
  local images found id image labels
  local -A inherited=()
  images=$(docker image ls --all --quiet --no-trunc --filter label=com.docker.compose.config-hash) || return
  if [[ -z $images ]]; then
    printf '%s\n' "$@"
    return
  fi
  # An image that is removed meanwhile is not used by a running container.
  # shellcheck disable=SC2086 # ids are hex digits
  while read -r image labels; do
    inherited[$image]=$labels
  done < <(docker image inspect --format "{{.ID}} $identity" $images 2>/dev/null || true)
  found=$(docker inspect --format "{{.ID}} {{.Image}} $identity" "$@" 2>/dev/null) || return
  while read -r id image labels; do
    [[ $labels == "${inherited[$image]-}" ]] || printf '%s\n' "$id"
  done <<<"$found"
}

# project_state PROJECT CONFIG: prints a keyed hash of the interpolated compose file, including its secrets, and of the
# project's containers with their images. Not of ids or health: a container in a crash loop must not outdate every plan.
project_state() {
  local key ids containers=
  ids=$(project_containers "$1") || return
  # shellcheck disable=SC2086 # ids are hex digits
  [[ -z $ids ]] || containers=$(docker inspect --format \
    '{{index .Config.Labels "com.docker.compose.service"}} {{index .Config.Labels "com.docker.compose.container-number"}} {{.Image}} {{index .Config.Labels "com.docker.compose.config-hash"}}' \
    $ids | sort) || return
  key=$(project_state_key) || return
  printf '%s\n%s\n' "$2" "$containers" | keyed_hash "$key"
}

# A key known only to those who may use Docker on the host: without it, others could use a printed hash to test guesses of
# a password.
project_state_key() {
  docker info --format '{{.ID}}' || return
  [[ ! -r /etc/machine-id ]] || cat /etc/machine-id
}

# keyed_hash KEY: HMAC-SHA-256 of stdin (RFC 2104) in hex, with coreutils alone. The key is in no process's arguments.
keyed_hash() {
  local key inner outer text at byte
  key=$(printf '%s' "$1" | sha256sum)
  inner='' outer=''
  for ((at = 0; at < 64; at++)); do
    byte=0
    ((at >= 32)) || byte=$((16#${key:at*2:2}))
    printf -v text '\\x%02x' "$((byte ^ 0x36))" && inner+=$text
    printf -v text '\\x%02x' "$((byte ^ 0x5c))" && outer+=$text
  done
  text=$({ printf '%b' "$inner" && cat; } | sha256sum)
  text=${text%% *}
  { printf '%b' "$outer" && printf '%b' "${text//??/\\x&}"; } | sha256sum | cut -d ' ' -f 1
}
