# shellcheck shell=bash
# Containers that cannot live without another one, on the whole host: of this project, of another one, or of none.

# One line a container. Modes and links are JSON, so that an empty one is a word as well.
readonly sharer_fields='{{.Name}} {{json .HostConfig.NetworkMode}} {{json .HostConfig.PidMode}} {{json .HostConfig.IpcMode}}'\
'{{range .HostConfig.Links}} {{json .}}{{end}}'

# sharers: a line `NAME WHAT OF` for each container that uses the network, the processes or the memory of another container, or
# a link to it. OF is an id or a name.
sharers() {
  local ids found tries name network processes memory links word
  for tries in 1 2 3 4 5; do
    ids=$(docker ps --all --quiet --no-trunc) || return
    [[ -n $ids ]] || return 0
    # If a container disappears meanwhile, start over.
    # shellcheck disable=SC2086 # ids are hex digits
    if found=$(docker inspect --type container --format "$sharer_fields" $ids 2>/dev/null); then break; fi
    ((tries < 5)) || return 1
  done
  while read -r name network processes memory links; do
    name=${name#/}
    [[ $network != '"container:'* ]] || printf '%s network %s\n' "$name" "$(shared_in "$network")"
    [[ $processes != '"container:'* ]] || printf '%s processes %s\n' "$name" "$(shared_in "$processes")"
    [[ $memory != '"container:'* ]] || printf '%s memory %s\n' "$name" "$(shared_in "$memory")"
    for word in $links; do
      word=${word#\"/}
      printf '%s link %s\n' "$name" "${word%%:*}"
    done
  done <<<"$found"
}

# shared_in MODE: the id or name in `"container:ID"`.
shared_in() {
  local of=${1#*:}
  printf '%s' "${of%\"}"
}
