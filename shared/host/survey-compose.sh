# shellcheck shell=bash disable=SC2154 # `compose` is set by compose_command
# What compose says about the project. A rollback needs it, a backup does not. The configuration contains secrets; it stays
# in the memory of the runner, which uses only a few fields of it.

# survey_compose DEPLOY-DIR PROJECT ENV-FILE FILE...: leaves the configuration in `compose_config`.
survey_compose() {
  local version config template said words
  compose_config=
  cd -- "$1" 2>/dev/null || return 0
  if ! version=$(docker compose version --short 2>&1); then
    record compose-error "$version"
    return 0
  fi
  record compose-version "$version"
  compose_command "${@:2}"

  # Run both at the same time: each takes a while to read the files.
  exec {config}< <("${compose[@]}" config --format json 2>/dev/null </dev/null)
  exec {template}< <("${compose[@]}" config --no-interpolate --format json 2>/dev/null </dev/null)
  # Compose's complaints stay on the host, except for the places of unset variables, and mistakes without what they quote.
  if said=$("${compose[@]}" config --quiet 2>&1 </dev/null); then words=; else words=$(tell_mistakes "${@:4}" <<<"$said"); fi
  record compose-unset "$(unset_variables "${3:-.env}" "${@:4}" <<<"$said")"
  record compose-words "$words"
  compose_config=$(cat <&"$config")
  record compose-config "$compose_config"
  record compose-template "$(cat <&"$template")"
  exec {config}<&- {template}<&-
  survey_env_file "${3:-.env}"
  # When the latest of the files was changed.
  record compose-changed "$(stat --format %Y -- "${@:4}" "${3:-.env}" 2>/dev/null | sort -n | tail -n 1)"
}

# Only the names of the variables.
survey_env_file() {
  [[ -r $1 ]] || return 0
  record env-names "$(sed -nE 's/^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=.*/\2/p' -- "$1" | sort -u)"
}

# survey_project_state PROJECT: records one hash of everything that a plan is based on, and the images on the host.
survey_project_state() {
  local state
  [[ -n ${compose_config-} ]] || return 0
  if state=$(project_state "$1" "$compose_config"); then record project-state "$state"; fi
  record local-images "$(docker image ls --no-trunc --digests --format '{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}}')"
}
