# shellcheck shell=bash disable=SC2154 # `compose` is set by compose_command
# What compose says of the project: needed to swap its images, not to back its database up. Its configuration holds secrets;
# it goes into the memory of the runner, which keeps a few fields of it.

# survey_compose DEPLOY-DIR PROJECT ENV-FILE FILE...: leaves the configuration in `compose_config`.
survey_compose() {
  local version config template
  compose_config=
  cd -- "$1" 2>/dev/null || return 0
  if ! version=$(docker compose version --short 2>&1); then
    record compose-error "$version"
    return 0
  fi
  record compose-version "$version"
  compose_command "${@:2}"

  # At once, since each reads the same files for a while.
  exec {config}< <("${compose[@]}" config --format json 2>/dev/null </dev/null)
  exec {template}< <("${compose[@]}" config --no-interpolate --format json 2>/dev/null </dev/null)
  # What compose has to object to stays here, but for the places of the variables that it misses.
  record compose-unset "$("${compose[@]}" config --quiet 2>&1 </dev/null | unset_variables "${3:-.env}" "${@:4}")"
  compose_config=$(cat <&"$config")
  record compose-config "$compose_config"
  record compose-template "$(cat <&"$template")"
  exec {config}<&- {template}<&-
  survey_env_file "${3:-.env}"
  # When any of the files was changed last.
  record compose-changed "$(stat --format %Y -- "${@:4}" "${3:-.env}" 2>/dev/null | sort -n | tail -n 1)"
}

# The names of the variables only.
survey_env_file() {
  [[ -r $1 ]] || return 0
  record env-names "$(sed -nE 's/^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=.*/\2/p' -- "$1" | sort -u)"
}

# survey_world PROJECT: on what a plan stands, in one hash; and the images that there are.
survey_world() {
  local state
  [[ -n ${compose_config-} ]] || return 0
  if state=$(project_state "$1" "$compose_config"); then record project-state "$state"; fi
  record local-images "$(docker image ls --no-trunc --digests --format '{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}}')"
}
