# shellcheck shell=bash disable=SC2154 # `real` is filled by real_paths
# Decides which compose files make up the project: those that were given; else those from which its newest container was
# created; else those that compose would find. What is made from other files is not what was deployed.

# The label in which a rollback leaves the user's own compose files: compose's own label also names our override file.
readonly files_label=atlasia.compose-files

# adopt_files DEPLOY-DIR BACKUP-DIR ENV-FILE CONTAINER...: sets `call` to how compose is called, for compose_command. Reads
# `compose_files`, the files that were given. Records where these differ from the ones of the containers, and what is missing.
adopt_files() {
  local label working env_files file missing=() deployed=() used=() adopted=
  local -A real=()
  call=()
  IFS=$'\x1f' read -r _ label working env_files < <(newest_labels "${@:4}")
  split_files "$label" "$2"
  for file in "${deployed[@]}"; do [[ -r $file ]] || missing+=("$file"); done
  ((${#missing[@]} == 0)) || record compose-missing "$(printf '%s\n' "${missing[@]}")"

  if ((${#compose_files[@]})); then
    used=("${compose_files[@]}")
    if ((${#deployed[@]} && ! ${#missing[@]})); then
      if same_files "$1"; then adopted=yes; else record compose-deployed "$(printf '%s\n' "${deployed[@]}")"; fi
    fi
  elif ((${#deployed[@]} && ! ${#missing[@]})); then
    # Below the deploy folder a relative path does as well, and is easier to read.
    used=("${deployed[@]#"${1%/}/"}") adopted=yes
  else
    mapfile -t used < <(compose_default_files "$1" "${3:-.env}")
  fi
  for file in "${used[@]}"; do call+=("file $file"); done
  if [[ -n $3 ]]; then
    call+=("env-file $3")
  elif [[ -n $adopted && -n $env_files ]]; then
    IFS=, read -r -a env_files <<<"$env_files"
    for file in "${env_files[@]}"; do call+=("env-file $file"); done
  fi
  [[ -z $adopted || -z $working || $working == "${deployed[0]%/*}" ]] || call+=("project-directory $working")
}

# newest_labels CONTAINER...: of the one that was created last: when, its files, their folder, its env files.
newest_labels() {
  local name template='{{.Created}}'
  (($#)) || return 0
  template+="{{\"\x1f\"}}{{with index .Config.Labels \"$files_label\"}}{{.}}{{else}}"
  template+='{{index .Config.Labels "com.docker.compose.project.config_files"}}{{end}}'
  for name in working_dir environment_file; do
    template+="{{\"\x1f\"}}{{index .Config.Labels \"com.docker.compose.project.$name\"}}"
  done
  docker inspect --format "$template" "$@" 2>/dev/null | sort -r | head -n 1
}

# split_files LABEL BACKUP-DIR: sets `deployed` to the files, without those of our transactions.
split_files() {
  local file files=()
  IFS=, read -r -a files <<<"$1"
  for file in "${files[@]}"; do
    [[ $file == "$2"/rollback/* || $file == */rollback/transactions/*/@(override|revert).yml ]] || deployed+=("$file")
  done
}

# same_files FOLDER: whether the given files are the deployed ones, in the same order.
same_files() {
  local at own=()
  for file in "${compose_files[@]}"; do own+=("$(absolute "$file" "$1")"); done
  ((${#own[@]} == ${#deployed[@]})) || return
  real_paths "${own[@]}" "${deployed[@]}"
  for at in "${!own[@]}"; do [[ ${real[${own[at]}]-} == "${real[${deployed[at]}]-}" ]] || return; done
}

# compose_default_files FOLDER ENV-FILE: the files that compose takes if it is given none, a line each. They must be named, as we
# add one of our own.
compose_default_files() (
  cd -- "$1" 2>/dev/null || exit 0
  named=${COMPOSE_FILE-} name='' kind=''
  [[ -n $named || ! -r $2 ]] || named=$(sed -nE "s/^(export[[:space:]]+)?COMPOSE_FILE=[\"']?([^\"']*)[\"']?[[:space:]]*$/\2/p" "$2" | tail -n 1)
  if [[ -n $named ]]; then
    printf '%s\n' "${named//:/$'\n'}"
    exit
  fi
  for kind in '' .override; do
    for name in {compose,docker-compose}"$kind".{yaml,yml}; do
      [[ ! -e $name ]] || { printf '%s\n' "$name" && break; }
    done
  done
)
