# shellcheck shell=bash
# Finds the compose project among all that run on the host, by the labels of their containers.

# find_project FOLDER NAME ENV-FILE FILE...: sets `projects` to the name of the project; to several, or none, if the labels say
# so. FOLDER is absolute, FILEs are relative to it or absolute. The surest sign comes first: the name; the compose file; its
# folder; a folder below one without a compose file. Whatever else has that name belongs to the project, wherever it was started.
find_project() {
  local folder=$1 row project directory files each paths=() rows=() own=()
  local -A real=() by_file=() by_folder=() below=()
  projects=()
  if [[ -n $2 ]]; then
    projects=("$2")
    return 0
  fi
  mapfile -t rows < <(docker ps --all --filter label=com.docker.compose.config-hash \
    --filter label=com.docker.compose.oneoff=False --format "$(project_columns)" | sort -u)
  for each in "${@:4}"; do own+=("$(absolute "$each" "$folder")"); done
  paths=("$folder" "${own[@]}" "${own[@]%/*}")
  for row in "${rows[@]}"; do
    IFS=$'\x1f' read -r project directory files <<<"$row"
    IFS=, read -r -a files <<<"$files"
    paths+=("$directory" "${files[@]}")
  done
  real_paths "${paths[@]}"

  for row in "${rows[@]}"; do
    IFS=$'\x1f' read -r project directory files <<<"$row"
    [[ -n $project ]] || continue
    IFS=, read -r -a files <<<"$files"
    directory=${real[${directory:-/}]-}
    for each in "${own[@]}"; do
      [[ $directory != "${real[${each%/*}]-}" ]] || by_folder[$project]=yes
      is_among "${real[$each]}" "${files[@]}" && by_file[$project]=yes
    done
    [[ $directory != "${real[$folder]}" ]] || by_folder[$project]=yes
    ((${#own[@]})) || [[ $directory != "${real[$folder]%/}"/* ]] || below[$project]=yes
  done
  if ((${#by_file[@]})); then
    projects=("${!by_file[@]}")
  elif ((${#by_folder[@]})); then
    projects=("${!by_folder[@]}")
  elif ! has_compose_file "$folder"; then
    projects=("${!below[@]}")
  fi
  ((${#projects[@]} == 1)) || let_compose_choose "$@"
}

# The names that compose looks for by itself.
readonly default_files=({compose,docker-compose}{,.override}.{yaml,yml})

has_compose_file() {
  local name
  for name in "${default_files[@]}"; do [[ ! -e $1/$name ]] || return 0; done
  return 1
}

# project_columns: project, folder and compose files of a container. Labels may hold any character but not this one.
project_columns() {
  local label template=
  for label in project project.working_dir project.config_files; do
    template+=${template:+'{{"\x1f"}}'}"{{.Label \"com.docker.compose.$label\"}}"
  done
  printf '%s' "$template"
}

absolute() {
  case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s' "${2%/}/$1" ;;
  esac
}

# real_paths PATH...: fills `real` with the paths without symbolic links, also of files that do not exist.
real_paths() {
  local path at=0 resolved=()
  local -a known=()
  for path in "$@"; do
    [[ $path != /* || -n ${real[$path]-} ]] || { known+=("$path") && real[$path]=$path; }
  done
  ((${#known[@]})) || return 0
  mapfile -t resolved < <(realpath --canonicalize-missing -- "${known[@]}")
  ((${#resolved[@]} == ${#known[@]})) || return 0
  for path in "${known[@]}"; do
    real[$path]=${resolved[at]}
    at=$((at + 1))
  done
}

# is_among REAL-PATH PATH...
is_among() {
  local path
  for path in "${@:2}"; do [[ $1 != "${real[${path:-/}]-}" ]] || return 0; done
  return 1
}

# let_compose_choose FOLDER NAME ENV-FILE FILE...: takes the name that compose gives the project, among several, or if nothing else fits
# and the name is written down somewhere: a name that is merely that of the folder may be another project's.
let_compose_choose() {
  local file name words=() project_folder=$1
  [[ -z $3 ]] || words+=(--env-file "$3")
  for file in "${@:4}"; do words+=(--file "$file"); done
  (($# < 4)) || project_folder=$(dirname -- "$(absolute "$4" "$1")")
  name=$(cd -- "$1" 2>/dev/null && docker compose "${words[@]}" config --format json 2>/dev/null </dev/null |
    sed -nE 's/^  "name": "([a-z0-9_-]+)",?$/\1/p') || name=
  [[ -n $name ]] || return 0
  # Somebody may merely have started a second project there by that name.
  [[ $name != "$(folder_name "$project_folder")" ]] || return 0
  if ((${#projects[@]})); then
    [[ " ${projects[*]} " != *" $name "* ]] || projects=("$name")
  elif [[ -n $(project_containers "$name") ]]; then
    projects=("$name")
  fi
}

# folder_name FOLDER: the name that compose makes of it.
folder_name() {
  local name=${1##*/}
  name=${name,,}
  name=${name//[^a-z0-9_-]/}
  while [[ $name == [_-]* ]]; do name=${name:1}; done
  printf '%s' "$name"
}
