# shellcheck shell=bash
# What a rollback is decided on, in one hash: when it is another one under the lock, the plan is no longer true.

# compose_command PROJECT ENV-FILE FILE...: sets `compose` to the command that speaks of this project, in the deploy folder.
compose_command() {
  local file
  compose=(docker compose)
  [[ -z $1 ]] || compose+=(--project-name "$1")
  [[ -z $2 ]] || compose+=(--env-file "$2")
  for file in "${@:3}"; do compose+=(--file "$file"); done
}

# project_containers PROJECT [FILTER...]: ids of its containers, running or not.
project_containers() { compose_containers "label=com.docker.compose.project=$1" "${@:2}"; }

# compose_containers FILTER...: ids of the containers that compose has made for a service.
compose_containers() {
  local ids tries
  # One that goes while it is looked at makes all of it be looked at again.
  for tries in 1 2 3 4 5; do
    ids=$(labelled_containers "$@") || return
    # shellcheck disable=SC2086 # ids are hex digits
    if [[ -z $ids ]] || made_by_compose $ids; then return 0; fi
    ((tries < 5)) || return 1
  done
}

# labelled_containers FILTER...: those that compose takes for its own, by the labels that it asks for.
labelled_containers() {
  local filters=() filter
  for filter in label=com.docker.compose.oneoff=False label=com.docker.compose.config-hash "$@"; do
    filters+=(--filter "$filter")
  done
  docker ps --all --quiet --no-trunc "${filters[@]}"
}

# By these compose knows which container is which; each as JSON, since another's may hold any byte.
readonly identity='{{with .Config.Labels}}{{json (index . "com.docker.compose.project")}} {{json (index . "com.docker.compose.service")}} {{json (index . "com.docker.compose.container-number")}} {{json (index . "com.docker.compose.config-hash")}} {{json (index . "com.docker.compose.image")}}{{end}}'

# made_by_compose ID...: those whose labels are their own. `docker commit` copies a container's labels into the image, and
# whatever is run from that has them as well; what compose makes from it says which image it is made from.
made_by_compose() {
  local images found id image labels
  local -A inherited=()
  images=$(docker image ls --all --quiet --no-trunc --filter label=com.docker.compose.config-hash) || return
  if [[ -z $images ]]; then
    printf '%s\n' "$@"
    return
  fi
  # One that is removed meanwhile has no part in what runs.
  # shellcheck disable=SC2086 # ids are hex digits
  while read -r image labels; do
    inherited[$image]=$labels
  done < <(docker image inspect --format "{{.ID}} $identity" $images 2>/dev/null || true)
  found=$(docker inspect --format "{{.ID}} {{.Image}} $identity" "$@" 2>/dev/null) || return
  while read -r id image labels; do
    [[ $labels == "${inherited[$image]-}" ]] || printf '%s\n' "$id"
  done <<<"$found"
}

# project_state PROJECT CONFIG: a keyed hash over the compose file as it is interpolated, with its secrets, and over the project's
# containers with their images. Neither ids nor health: a container in a crash loop must not make every plan stale.
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

# Known to those who may use the host's Docker, and to nobody else: a hash that is printed must not let others try out
# what a password could be.
project_state_key() {
  docker info --format '{{.ID}}' || return
  [[ ! -r /etc/machine-id ]] || cat /etc/machine-id
}

# keyed_hash KEY: HMAC-SHA-256 of stdin (RFC 2104) in hex, by coreutils alone; the key is not in anybody's arguments.
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
