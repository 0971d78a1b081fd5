# shellcheck shell=bash disable=SC2154 # `compose` is set by compose_command, `call` by adopt_files
# What compose says about the project. A rollback needs it, a backup does not. The configuration contains secrets; it stays
# in the memory of the runner, which uses only a few fields of it.

# survey_compose DEPLOY-DIR PROJECT: leaves the configuration in `compose_config`. adopt_files has said from which files.
survey_compose() {
  local version config template complaints mistakes_told line env_file named='' folder=''
  compose_config=
  cd -- "$1" 2>/dev/null || return 0
  if ! version=$(docker compose version --short 2>&1); then
    record compose-error "$version"
    return 0
  fi
  record compose-version "$version"
  for line in "${call[@]}"; do
    record compose-call "$line"
    case $line in
      env-file\ *) named=${line#* } ;;
      project-directory\ *) folder=${line#* } ;;
      file\ */*) [[ -n $folder ]] || folder=$(dirname -- "${line#* }") ;;
    esac
  done
  env_file=${named:-${folder:+$folder/}.env}

  # Run both at the same time: each takes a while to read the files. The second is asked for the name that it would choose.
  compose_command "$2" "${call[@]}"
  exec {config}< <("${compose[@]}" config --format json 2>/dev/null </dev/null)
  compose_command '' "${call[@]}"
  exec {template}< <("${compose[@]}" config --no-interpolate --format json 2>/dev/null </dev/null)
  compose_command "$2" "${call[@]}"
  # Compose's complaints stay on the host, except for the names of unset variables and the places where they are used, and
  # mistakes without what they quote.
  mistakes_told=
  complaints=$("${compose[@]}" config --quiet 2>&1 </dev/null) || mistakes_told=$(tell_mistakes "${compose_sources[@]}" <<<"$complaints")
  record compose-words "$mistakes_told"
  record compose-unset "$(unset_variables "$env_file" "${compose_sources[@]}" <<<"$complaints")"
  record compose-unset-names "$(unset_names <<<"$complaints")"
  compose_config=$(cat <&"$config")
  record compose-config "$compose_config"
  record compose-template "$(cat <&"$template")"
  exec {config}<&- {template}<&-
  record compose-values "$(inline_values "$compose_config")"
  survey_env_file "$env_file"
  # When the latest of the files was changed.
  record compose-changed "$(stat --format %Y -- "${compose_sources[@]}" "$env_file" 2>/dev/null | sort -n | tail -n 1)"
}

# A key known only to this host, so that hashes of settings tell nothing to those who guess passwords.
survey_settings_key() {
  local key
  key=$(project_state_key) && record settings-key "$(sha256sum <<<"settings $key" | cut -d ' ' -f 1)"
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
  survey_settings_key || true
  record local-images "$(docker image ls --no-trunc --digests --format '{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}}')"
}
