# shellcheck shell=bash
# A rollback with `on-failure: leave` keeps the previous containers beside the target's, for people to look at. Nobody may take
# both for replicas. Part of the survey and of a transaction's engine.

# left_behind FOLDER ID...: of a project's containers, those that an earlier transaction has left there; FOLDER is that of the
# transactions. Prints `aside ID` for one that is not running, and `beside ID` for a target that runs beside what it was to
# replace. Never all of a service: what is alone counts.
left_behind() {
  local left found line id state name service transaction rest=()
  local -A has_other=() has_older=()
  (($# > 1)) || return 0
  left=$(left_transactions "$1") || return
  # Labels as JSON: those of a foreign container may contain any byte.
  found=$(docker inspect --format '{{.ID}}{{"\t"}}{{.State.Status}}{{"\t"}}{{.Name}}{{"\t"}}'\
'{{json (index .Config.Labels "com.docker.compose.service")}}{{"\t"}}{{json (index .Config.Labels "atlasia.transaction")}}' \
    "${@:2}" 2>/dev/null) || return
  while IFS=$'\t' read -r id state name service transaction; do
    is_set_aside "$name" "$state" || has_other[$service]=yes
  done <<<"$found"
  while IFS= read -r line; do
    IFS=$'\t' read -r id state name service transaction <<<"$line"
    if is_set_aside "$name" "$state" && [[ -n ${has_other[$service]-} ]]; then
      printf 'aside %s\n' "$id"
    else
      rest+=("$line")
      is_one_of "$transaction" "$left" || has_older[$service]=yes
    fi
  done <<<"$found"
  for line in "${rest[@]}"; do
    IFS=$'\t' read -r id state name service transaction <<<"$line"
    if [[ -z ${has_older[$service]-} ]] || ! is_one_of "$transaction" "$left"; then continue; fi
    if [[ $state == @(exited|created|dead) ]]; then printf 'aside %s\n' "$id"; else printf 'beside %s\n' "$id"; fi
  done
}

# is_set_aside NAME STATE: whether a transaction has added its id to the name, and the container does not run.
is_set_aside() { [[ $1 =~ \.[0-9]{8}_[0-9]{6}$ && $2 == @(exited|created|dead) ]]; }

# is_one_of LABEL IDS: whether the label, as JSON, is one of the ids, which are a line each.
is_one_of() { [[ $1 != '""' && $'\n'$2$'\n' == *$'\n'"${1//\"/}"$'\n'* ]]; }
