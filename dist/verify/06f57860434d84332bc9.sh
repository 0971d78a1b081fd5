# shellcheck shell=bash
# A registry login that lasts only as long as the program, and leaves the user's own login alone. Its folder is in a place
# where others can write too. So its name is unpredictable, and anything that others put there under such a name is ignored.

# Where the folder may be, the best place first: in memory, or on disk if others have filled that.
login_parents=(/dev/shm "${TMPDIR:-/tmp}" ~)

# What the user has: in force before the login and after it.
user_docker_config=${DOCKER_CONFIG-}

# Removes logins of runs that were killed together with their supervisor.
sweep_logins() {
  local folder process
  while IFS= read -r -d '' folder; do
    process=${folder##*/atlasia-login.}
    [[ -e /proc/${process%%.*} ]] || rm -rf -- "$folder"
  done < <(login_folders '*')
}

remove_login() {
  local folder
  while IFS= read -r -d '' folder; do rm -rf -- "$folder"; done < <(login_folders "$$.*")
  if [[ -n $user_docker_config ]]; then export DOCKER_CONFIG=$user_docker_config; else unset DOCKER_CONFIG; fi
}

# login_folders PATTERN: prints our own folders, each followed by a NUL. Skips links, as removing one would not remove its target.
login_folders() {
  local parent folder
  for parent in "${login_parents[@]}"; do
    # shellcheck disable=SC2231 # the pattern is one
    for folder in "$parent"/atlasia-login.$1; do
      [[ ! -d $folder || -L $folder || ! -O $folder ]] || printf '%s\0' "$folder"
    done
  done
}

log_in() {
  local error docker_context
  docker_context=$(context_of_docker) || fail login-failed 'Cannot find the docker context of this user: docker context inspect'
  make_login_folder || fail login-failed "Cannot create a folder for the login in any of: ${login_parents[*]}"
  keep_context "$docker_context" || fail login-failed 'Cannot keep the docker context of this user during the login'
  error=$(printf '%s' "$3" | timeout 60 docker login --username "$2" --password-stdin "$1" 2>&1 >/dev/null) ||
    fail login-failed "$error"
}

# belongs_to REGISTRY REFERENCE: whether the login is for that image. References say docker.io for all names of Docker Hub.
belongs_to() {
  local host=${1%%/*}
  [[ ! $host =~ ^(index|registry-1|registry\.hub)\.docker\.(io|com)$ ]] || host=docker.io
  [[ $2 == "$host"/* ]]
}

# context_of_docker: prints the name of the context that is in force. DOCKER_HOST comes before any.
context_of_docker() {
  if [[ -n ${DOCKER_HOST-} ]]; then printf default; else docker context inspect --format '{{.Name}}'; fi
}

# keep_context NAME: the folder of the login is a new home for docker. Gives it the contexts of the user's own, with their
# certificates, or docker would talk to another engine: rootless Docker is a context. Nothing is written in them.
keep_context() {
  local home=${user_docker_config:-${HOME-}/.docker} folder
  for folder in contexts cli-plugins; do
    [[ ! -d $home/$folder ]] || ln -s -- "$(cd -- "$home/$folder" && pwd -P)" "$DOCKER_CONFIG/$folder" || return
  done
  [[ $1 == default ]] || export DOCKER_CONTEXT=$1
  # Where a file names no login, docker looks for a helper to store this one: it would outlast the program.
  printf '{"auths": {"registry.invalid": {}}}' >"$DOCKER_CONFIG/config.json"
}

# Creates a new folder, in a place where others cannot replace it, and sets DOCKER_CONFIG to it.
make_login_folder() {
  local parent
  for parent in "${login_parents[@]}"; do
    [[ -w $parent && -z $(open_parent "$parent/atlasia-login") ]] || continue
    DOCKER_CONFIG=$(mktemp -d -- "$parent/atlasia-login.$$.XXXXXXXXXX" 2>/dev/null) || continue
    # Check that there is room for what Docker writes.
    if head -c 65536 /dev/zero >"$DOCKER_CONFIG/room" && rm -- "$DOCKER_CONFIG/room"; then
      export DOCKER_CONFIG
      return
    fi 2>/dev/null
    rm -rf -- "$DOCKER_CONFIG"
  done
  return 1
}
