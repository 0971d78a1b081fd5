# shellcheck shell=bash
# What on this host replaces containers by itself as soon as the registry has something newer, and so undoes a rollback.

# survey_updaters: records `NAME IMAGE`, of any project, but not of those that were told only to watch.
survey_updaters() {
  local id name image labels found=() template
  while IFS=$'\t' read -r id image labels; do
    if is_updater "$image" "$labels"; then found+=("$id"); fi
  done < <(docker ps --no-trunc --format '{{.ID}}{{"\t"}}{{.Image}}{{"\t"}}{{.Label "com.centurylinklabs.watchtower"}}' 2>/dev/null)
  ((${#found[@]})) || return 0
  # Of the environment only what is asked for: the rest may be secrets.
  template='{{.Name}}{{"\t"}}{{.Config.Image}}{{"\t"}}'
  template+='{{range .Config.Env}}{{if eq . "WATCHTOWER_MONITOR_ONLY=true" "MONITOR_ONLY=true"}}watches{{end}}{{end}}'
  template+='{{range .Config.Cmd}}{{if eq . "--monitor-only" "-m"}}watches{{end}}{{end}}'
  while IFS=$'\t' read -r name image labels; do
    [[ $labels == watches* ]] || record updater "${name#/} $image"
  done < <(docker inspect --format "$template" "${found[@]}" 2>/dev/null)
}

# is_updater IMAGE LABEL: watchtower and its forks have a label; others are known by the last part of their image's name.
is_updater() {
  local name=${1%%@*}
  name=${name##*/}
  [[ $2 == true || ${name%%:*} =~ ^(watchtower|ouroboros|wud|whats-up-docker|tugtainer|drydock)$ ]]
}
