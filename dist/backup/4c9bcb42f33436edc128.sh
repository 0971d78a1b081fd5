# shellcheck shell=bash
# Read-only: records everything about the host that the actions must know before they decide anything.

readonly docker_patience=20

# What is recorded about a container. Lists end in null: a template cannot tell which item is the last.
# shellcheck disable=SC2016 # the dollars are the template's
readonly container_fields=(
  '"id":{{json .ID}}'
  '"name":{{json .Name}}'
  '"project":{{json (index .Config.Labels "com.docker.compose.project")}}'
  '"service":{{json (index .Config.Labels "com.docker.compose.service")}}'
  '"oneoff":{{json (index .Config.Labels "com.docker.compose.oneoff")}}'
  '"image":{{json .Config.Image}}'
  '"imageId":{{json .Image}}'
  '"created":{{json .Created}}'
  '"transaction":{{json (index .Config.Labels "atlasia.transaction")}}'
  '"state":{{json .State.Status}}'
  '"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}}'
  '"number":{{json (index .Config.Labels "com.docker.compose.container-number")}}'
  '"healthTest":{{with .Config.Healthcheck}}{{if .Test}}{{json (index .Test 0)}}{{else}}null{{end}}{{else}}null{{end}}'
  '"networks":[{{range $name, $_ := .NetworkSettings.Networks}}{{json $name}},{{end}}null]'
  '"exposedPorts":[{{range $port, $_ := .Config.ExposedPorts}}{{json $port}},{{end}}null]'
  '"volumes":[{{range .Mounts}}{{if eq .Type "volume"}}{"name":{{json .Name}},"destination":{{json .Destination}}},{{end}}{{end}}null]'
)
# What a container was given at its creation, in the words of the compose file. It contains secrets, and is asked for only
# with the configuration, to be compared with it.
readonly settings_fields=(
  '"id":{{json .ID}}'
  '"environment":{{json .Config.Env}}'
  '"labels":{{json .Config.Labels}}'
  '"command":{{json .Config.Cmd}}'
  '"entrypoint":{{json .Config.Entrypoint}}'
  '"user":{{json .Config.User}}'
  '"hostname":{{json .Config.Hostname}}'
  '"workingDir":{{json .Config.WorkingDir}}'
  '"ports":{{json .HostConfig.PortBindings}}'
  '"mounts":{{json .Mounts}}'
)
readonly image_fields=(
  '"id":{{json .ID}}'
  '"repoDigests":{{json .RepoDigests}}'
  '"variables":[{{range .Config.Env}}{{json (index (split . "=") 0)}},{{end}}null]'
)
# Only the names of the variables: their values are secrets.
readonly variable_names=',{{range .Config.Env}}{{json (index (split . "=") 0)}},{{end}}'

takes deploy_dir backup_dir project service database_user database inside_script with_sets with_setup with_compose env_file
takes_list compose_files
# Further lines for compose_command: `profile NAME`, `variable NAME=VALUE`.
takes_list compose_extras
# shellcheck disable=SC2034 # sets.sh reads it
takes_list layout

main() {
  export PGUSER=$database_user PGDATABASE=$database PGAPPNAME=atlasia-survey
  local docker_answer
  exec {docker_answer}< <(ask_docker)

  record clock "$(date +%s%3N)"
  record user "$(id -un)"
  record bash "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}"
  local tool
  for tool in docker flock stat df date tee sync sha256sum md5sum gzip zstd age; do
    if command -v "$tool" >/dev/null; then record tool "$tool"; fi
  done

  survey_folders "$deploy_dir" "$backup_dir"
  survey_named "$deploy_dir" "${compose_files[@]}" ${env_file:+"$env_file"}
  survey_places "$backup_dir"
  survey_lock "$backup_dir/.lock"
  [[ -z $with_sets ]] || survey_sets "$backup_dir"
  survey_history "$backup_dir/rollback"
  [[ -z $with_setup ]] || survey_setup "$backup_dir"
  projects=()
  if survey_docker "$docker_answer"; then
    find_project "$deploy_dir" "$project" "$env_file" "${compose_files[@]}"
    survey_project
  elif [[ -n $with_compose ]]; then
    survey_files_of_project
  fi
  [[ -z $with_compose ]] || survey_updaters
}

survey_folders() {
  local folder
  [[ ! -d $1 ]] || record deploy-dir "$(cd -- "$1" && pwd -P)"
  for folder in '' $(folders_at flat nested aside); do
    folder=$2${folder:+/$folder}
    [[ -e $folder ]] || continue
    record folder "$(stat --format '%F|%a|%U|%d' -- "$folder")|$([[ -w $folder && -x $folder ]] && echo writable)|$folder"
  done

  # The backup folder may not exist yet: what counts is the file system on which it will be.
  folder=$2
  until [[ -d $folder ]]; do folder=${folder%/*} && folder=${folder:-/}; done
  [[ -w $folder ]] || record unwritable "$folder"
  local numbers
  { read -r && read -r -a numbers; } < <(df --block-size=1 --output=avail,iavail -- "$folder")
  record free-bytes "${numbers[0]}"
  record free-inodes "${numbers[1]}"
}

# survey_named FOLDER FILE...: records those of the files that the inputs name which this user does not find.
survey_named() {
  local file
  for file in "${@:2}"; do
    (cd -- "$1" 2>/dev/null && [[ -e $file && ! -d $file ]]) || record absent "$file"
  done
}

survey_lock() {
  [[ -z $(lock_owner "$1") ]] || record lock-holder "$(lock_holder "$1")"
}

# Records the history of deployments, and unfinished transactions.
survey_history() {
  local id unfinished
  [[ ! -f $1/history.jsonl || ! -r $1/history.jsonl ]] || record history "$(last_lines "$1/history.jsonl" 4194304)"
  [[ ! -f $1/deployment_tags.log || ! -r $1/deployment_tags.log ]] || record audit-trail "$(last_lines "$1/deployment_tags.log" 1048576)"
  # Whatever the file contains, deployments are on hold.
  [[ ! -e $1/HOLD ]] || record hold "$([[ ! -f $1/HOLD ]] || head -c 4096 -- "$1/HOLD" 2>/dev/null)"
  if unfinished=$(unfinished_transactions "$1/transactions"); then
    for id in $unfinished; do record unfinished "$id"; done
  else
    record journals-unreadable "$1/transactions"
  fi
}

# last_lines FILE BYTES: prints the last whole lines of a file, at most so many bytes.
last_lines() {
  if (($(stat --dereference --format %s -- "$1") > $2)); then
    tail -c "$2" -- "$1" | sed 1d
  else
    cat -- "$1"
  fi
}

# Prints Docker's answer, and its exit code in a line of its own. Meanwhile the folders are looked at.
ask_docker() {
  local answer status=0
  answer=$(timeout "$docker_patience" docker version --format '{{.Server.Version}}' 2>&1) || status=$?
  printf '%s\n%s' "$answer" "$status"
}

# survey_docker DESCRIPTOR: records whether Docker answers; `ask_docker` prints there.
survey_docker() {
  local answer
  answer=$(cat <&"$1")
  if [[ ${answer##*$'\n'} == 0 ]]; then
    record docker "${answer%$'\n'*}"
  else
    record docker-error "${answer%$'\n'*}"
    return 1
  fi
}

# survey_mounted_files CONTAINER...: records when each file that is mounted into one was last changed.
survey_mounted_files() {
  local sources=()
  (($#)) || return 0
  mapfile -t sources < <(docker inspect --format \
    '{{range .Mounts}}{{if eq .Type "bind"}}{{.Source}}{{"\n"}}{{end}}{{end}}' "$@" | grep . | sort -u)
  ((${#sources[@]} == 0)) ||
    record mounted-files "$(stat --format '%Y %F|%n' -- "${sources[@]}" 2>/dev/null | sed -nE 's/^([0-9]+) regular( empty)? file\|/\1 /p')"
}

# survey_files_of_project CONTAINER...: records what compose says about the project.
survey_files_of_project() {
  local json
  (($# == 0)) || while IFS= read -r json; do record container-settings "$json"; done < <(
    docker inspect --format "$(json_object "${settings_fields[@]}")" "$@"
  )
  survey_mounted_files "$@"
  adopt_files "$deploy_dir" "$backup_dir" "$env_file" "$@"
  call+=("${compose_extras[@]}")
  survey_compose "$deploy_dir" "${projects[0]-$project}"
}

# Records the containers of the projects that fit, and what compose says of them.
survey_project() {
  local ids='' each
  for each in "${projects[@]}"; do ids+="$(project_containers "$each") "; done
  # shellcheck disable=SC2086 # ids are hex digits
  ids=$(counting_containers $ids)
  # shellcheck disable=SC2086 # ids are hex digits
  [[ -z $with_compose ]] || survey_files_of_project $ids
  if [[ -z ${ids// /} ]]; then
    record projects "$(docker ps --all --filter label=com.docker.compose.project --format \
      '{{.Label "com.docker.compose.project"}} in {{.Label "com.docker.compose.project.working_dir"}}' | sort -u)"
    return 0
  fi

  local id label name state image variables project_name count=0 candidates=() images=()
  # A line for each container, of fields that hold neither line break nor tab: what may hold any byte is JSON.
  local template
  template=$(columns \
    '{{.ID}}' \
    '{{json (index .Config.Labels "com.docker.compose.project")}}' \
    '{{json (index .Config.Labels "com.docker.compose.service")}}' \
    '{{.State.Status}}' \
    '{{.Image}}' \
    '{{json .Config.Image}}' \
    "$variable_names" \
    "$(json_object "${container_fields[@]}")")
  local image_id json
  # shellcheck disable=SC2086 # ids are hex digits
  while IFS=$'\t' read -r id label name state image_id image variables json; do
    name=${name//\"/} image=${image//\"/}
    project_name=${label//\"/}
    record container "$json"
    count=$((count + 1))
    images+=("$image_id")
    if is_database "$service" "$name" "$image" "$variables"; then candidates+=("$name $state $id"); fi
  done < <(docker inspect --format "$template" $ids)
  ((count == $(wc -w <<<"$ids"))) || fail survey-incomplete "Docker described only $count of these containers: $ids"
  # Meanwhile the database is asked.
  local image_answer
  exec {image_answer}< <(docker image inspect --format "$(json_object "${image_fields[@]}")" "${images[@]}" 2>/dev/null)

  survey_project_state "$project_name"
  # shellcheck disable=SC2086 # ids are hex digits
  if [[ -n $with_compose ]]; then
    survey_swap "${images[*]}" $ids
    [[ -z ${compose_config-} ]] || survey_proxies $ids
  fi

  ((${#candidates[@]} == 0)) || survey_database "${candidates[@]}"
  while IFS= read -r json <&"$image_answer"; do record image "$json"; done
}

# survey_database CANDIDATE...: records which containers may be the database's, and what the database says if there is only one.
survey_database() {
  local candidate name state id answer
  for candidate in "$@"; do record candidate "$candidate"; done
  (($# == 1)) || return 0
  read -r name state id <<<"$1"
  [[ $state == running ]] || return 0
  if answer=$(timeout "$docker_patience" docker exec --env PGUSER --env PGDATABASE --env PGAPPNAME "$id" \
    sh -c "$inside_script" inside probe); then
    record probe "$answer"
  else
    record probe-error "${answer:-The probe failed without a message, or gave no answer within $docker_patience s}"
  fi
}

# counting_containers ID...: without those that an earlier rollback has put aside.
counting_containers() {
  local aside
  # Journals that cannot be read are told of by survey_history.
  aside=$(left_behind "$backup_dir/rollback/transactions" "$@" | sed -n 's/^aside //p') || true
  printf '%s\n' "$@" | grep -vxF -- "${aside:-none}" || true
}

# is_database WANTED SERVICE IMAGE VARIABLES: images that are based on the official PostgreSQL image have its two variables,
# whatever their name.
is_database() {
  if [[ -n $1 ]]; then
    [[ $1 == "$2" ]]
  else
    [[ $4 == *',"PG_MAJOR",'* && $4 == *',"PGDATA",'* ]] ||
      [[ ${3##*/} =~ ^(postgres|postgresql|postgresql-repmgr|postgresql-[0-9]+(-[a-z]+[0-9]+|-c[0-9]+s)?|postgis|timescaledb|timescaledb-ha|pgvector)([:@]|$) ]]
  fi
}
