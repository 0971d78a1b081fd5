# shellcheck shell=bash disable=SC2154,SC2016 # the tables are those of read_plan; the dollars are those of templates
# Before the swap nothing may be stopped. Compose may do so all the same: where a network has other settings than the compose
# file says, it stops the containers in it and detaches them, to create it anew.

# Of a container: its networks, each with the fixed address or a dash, and the aliases.
readonly network_fields='{{range $name, $network := .NetworkSettings.Networks}}'\
'{{$.ID}}''{{"\t"}}'\
'{{$name}}''{{"\t"}}'\
'{{with $network.IPAMConfig}}{{if .IPv4Address}}{{.IPv4Address}}{{else}}-{{end}}{{else}}-{{end}}''{{"\t"}}'\
'{{join $network.Aliases " "}}''{{"\n"}}'\
'{{end}}'

# Writes networks.tsv: the networks of the old containers.
note_networks() {
  local id found noted=''
  while IFS=$'\t' read -r _ id _; do
    found=$(docker inspect --format "$network_fields" "$id" </dev/null) || return
    noted+=$found$'\n'
  done <before.tsv
  put_table "$noted" networks
}

# attach ID: puts an old container back into the networks that it was in.
attach() {
  local id network address aliases here alias words
  [[ -e networks.tsv ]] || return 0
  here=$(look "$1" '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{"\n"}}{{end}}') || return
  while IFS=$'\t' read -r id network address aliases; do
    if [[ $id != "$1" ]] || grep -qxF -- "$network" <<<"$here"; then continue; fi
    words=()
    [[ ! $address =~ ^[0-9.]+$ ]] || words+=(--ip "$address")
    for alias in $aliases; do words+=(--alias "$alias"); done
    steady network connect "${words[@]}" "$network" "$1" || return
  done <networks.tsv
}

# start_stopped: starts again what ran when this began and does not any more. Fails if it does not come back.
start_stopped() {
  local service id name state found='' lost=''
  has checked || return 0
  while IFS=$'\t' read -r service id name state _; do
    runs_on "$service" "$state" || continue
    [[ $(look "$id" '{{.State.Running}}') != true ]] || continue
    found=yes
    journal found-stopped "$service"
    { attach "$id" && steady start "$id"; } || lost+=" ${name#/}"
  done <before.tsv
  [[ -n $found ]] || return 0
  [[ -z $lost ]] || not_back "Could not be started again:$lost" || return
  came_back || return
  journal started-again
}
