# shellcheck shell=bash disable=SC2154 # `real` is filled by real_paths
# Decides which compose files make up the project: those that were given; else those from which its newest container was
# created; else those that compose would find. What is made from other files is not what was deployed.

# The label in which a rollback leaves the user's own compose files: compose's own label also names our override file.
readonly files_label=atlasia.compose-files env_files_label=atlasia.compose-env-files

# adopt_files DEPLOY-DIR BACKUP-DIR ENV-FILE CONTAINER...: sets `call` to how compose is called, for compose_command. Reads
# `compose_files`, the files that were given. Records where these differ from the ones of the containers, and what is missing.
adopt_files() {
  local line service files working env_files file deployed=() missing=() used=() adopted='' lines=()
  local -A real=()
  call=()
  mapfile -t lines < <(labels_of "${@:4}")
  read_label "${lines[0]-}" "$2"
  prefer_own "$1" "$2"
  for file in "${deployed[@]}"; do [[ -r $file ]] || missing+=("$file"); done
  ((${#missing[@]} == 0)) || record compose-missing "$(printf '%s\n' "${missing[@]}")"

  if ((${#compose_files[@]})); then
    used=("${compose_files[@]}")
    # Parts of the project may have been started from other files.
    for line in "${lines[@]}"; do
      read_label "$line" "$2"
      ! same_files "$1" || { adopted=yes && break; }
    done
    if [[ -z $adopted ]]; then
      read_label "${lines[0]-}" "$2"
      ((${#deployed[@]} == 0 || ${#missing[@]})) || record compose-deployed "$(printf '%s\n' "${deployed[@]}")"
    fi
  elif ((${#deployed[@]} && ! ${#missing[@]})); then
    add_parts "$1" "$2"
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

# labels_of CONTAINER...: a line for each, the newest first: when it was created, its service, its files, their folder, env files.
labels_of() {
  local template='{{.Created}}{{"\x1f"}}{{index .Config.Labels "com.docker.compose.service"}}{{"\x1f"}}'
  (($#)) || return 0
  template+="{{with index .Config.Labels \"$files_label\"}}{{.}}{{else}}"
  template+='{{index .Config.Labels "com.docker.compose.project.config_files"}}{{end}}'
  template+='{{"\x1f"}}{{index .Config.Labels "com.docker.compose.project.working_dir"}}{{"\x1f"}}'
  template+="{{with index .Config.Labels \"$env_files_label\"}}{{.}}{{else}}"
  template+='{{index .Config.Labels "com.docker.compose.project.environment_file"}}{{end}}'
  docker inspect --format "$template" "$@" 2>/dev/null | sort -r
}

# read_label LINE BACKUP-DIR: sets `service`, `working`, `env_files`, and `deployed` to the files, without those of our transactions.
read_label() {
  local file
  deployed=()
  IFS=$'\x1f' read -r _ service files working env_files <<<"$1"
  IFS=, read -r -a files <<<"$files"
  for file in "${files[@]}"; do
    [[ $file == "$2"/rollback/* || $file == */rollback/transactions/*/@(override|revert).yml ]] || deployed+=("$file")
  done
}

# same_files FOLDER: whether the given files are the deployed ones, in the same order.
same_files() {
  local at file own=()
  for file in "${compose_files[@]}"; do own+=("$(absolute "$file" "$1")"); done
  ((${#own[@]} == ${#deployed[@]})) || return
  real_paths "${own[@]}" "${deployed[@]}"
  for at in "${!own[@]}"; do [[ ${real[${own[at]}]-} == "${real[${deployed[at]}]-}" ]] || return; done
}

# prefer_own FOLDER BACKUP-DIR: where the newest container was started from another folder, as something apart under the same name,
# those of this folder come first in `lines`: neither's files have the service of the other.
prefer_own() {
  local line newest=("${deployed[@]}") first=$service
  if [[ -z $working ]] || is_folder "$working" "$1"; then return; fi
  for line in "${lines[@]}"; do
    read_label "$line" "$2"
    if [[ -z $working ]] || ! is_folder "$working" "$1"; then continue; fi
    if [[ $(services_of "$1" "${newest[@]}") != *" $service "* && $(services_of "$1" "${deployed[@]}") != *" $first "* ]]; then
      lines=("$line" "${lines[@]}")
      return
    fi
  done
  read_label "${lines[0]}" "$2"
}

is_folder() {
  real_paths "$1" "$2"
  [[ ${real[$1]-} == "${real[$2]-}" ]]
}

# services_of FOLDER FILE...: the services that these compose files have, each between spaces.
services_of() {
  local file words=()
  for file in "${@:2}"; do words+=(--file "$file"); done
  printf ' %s ' "$(cd -- "$1" && docker compose "${words[@]}" --profile '*' config --services 2>/dev/null </dev/null | tr '\n' ' ')"
}

# add_parts FOLDER BACKUP-DIR: adds to `deployed` the files of containers in the same folder whose services the newest one's files do
# not have: a part of the project that was started by itself, such as its monitoring, was the last. Theirs come first.
add_parts() {
  local line file known='' newest=("${deployed[@]}") folder=$working envs=$env_files parts=()
  for line in "${lines[@]}"; do
    read_label "$line" "$2"
    [[ $working == "$folder" && "${deployed[*]}" != "${newest[*]}" ]] || continue
    [[ -n $known ]] || known=$(services_of "$1" "${newest[@]}") || known=' '
    [[ $known != *" $service "* ]] || continue
    for file in "${deployed[@]}"; do
      [[ ! -r $file || " ${parts[*]} ${newest[*]} " == *" $file "* ]] || parts+=("$file")
    done
  done
  deployed=("${parts[@]}" "${newest[@]}") working=$folder env_files=$envs
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
