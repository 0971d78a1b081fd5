# shellcheck shell=bash
# What on this host replaces containers by itself as soon as the registry has something newer, and so undoes a rollback.

# survey_updaters: records `NAME IMAGE`, of any project, but not of those that were told only to watch.
survey_updaters() {
  local id name image label mode found=() template
  while IFS=$'\t' read -r id image label; do
    # An image that has lost its tag is shown by its id.
    if [[ $image == sha256:* ]] || is_updater "$image" "$label"; then found+=("$id"); fi
  done < <(docker ps --no-trunc --format '{{.ID}}{{"\t"}}{{.Image}}{{"\t"}}{{.Label "com.centurylinklabs.watchtower"}}' 2>/dev/null)
  ((${#found[@]})) || return 0
  # Of the environment only what is asked for: the rest may be secrets.
  mode='{{range .Config.Env}}{{if eq . "WATCHTOWER_MONITOR_ONLY=true" "MONITOR_ONLY=true"}}watches{{end}}{{end}}'
  mode+='{{range .Config.Cmd}}{{if eq . "--monitor-only"}}watches{{end}}{{end}}'
  label='{{json (index .Config.Labels "com.centurylinklabs.watchtower")}}'
  template=$(columns '{{.Name}}' '{{json .Config.Image}}' "$label" "$mode")
  while IFS=$'\t' read -r name image label mode; do
    image=${image//\"/}
    [[ $mode == watches* ]] || ! is_updater "$image" "${label//\"/}" || record updater "${name#/} $image"
  done < <(docker inspect --format "$template" "${found[@]}" 2>/dev/null)
}

# is_updater IMAGE LABEL: watchtower and its forks have a label; others are known by the last part of their image's name.
is_updater() {
  local name=${1%%@*}
  name=${name##*/}
  [[ $2 == true || ${name%%:*} =~ ^(watchtower|ouroboros|wud|whats-up-docker|tugtainer|drydock)$ ]]
}
