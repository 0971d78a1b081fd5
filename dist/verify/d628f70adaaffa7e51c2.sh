# shellcheck shell=bash
# A login at a registry that lives no longer than the program: nobody's own is touched. Its folder stands where others may
# write as well, so its name cannot be foreseen, and whatever they put there under such a name is passed over.

# Where it may stand, the best first: in memory; and where others have filled that, elsewhere.
login_parents=(/dev/shm "${TMPDIR:-/tmp}" ~)

# Of a run that was killed with its supervisor, so that nobody took it away.
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
  unset DOCKER_CONFIG
}

# login_folders PATTERN: folders of our own, each with a NUL behind it. A link to one is none: it could not be removed.
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
  local error
  make_login_folder || fail login-failed "No folder for the login can be made in ${login_parents[*]}"
  error=$(printf '%s' "$3" | timeout 60 docker login --username "$2" --password-stdin "$1" 2>&1 >/dev/null) ||
    fail login-failed "$error"
}

# A new folder, never one that is there, into DOCKER_CONFIG; nowhere where others could put theirs in its place.
make_login_folder() {
  local parent
  for parent in "${login_parents[@]}"; do
    [[ -w $parent && -z $(open_parent "$parent/atlasia-login") ]] || continue
    DOCKER_CONFIG=$(mktemp -d -- "$parent/atlasia-login.$$.XXXXXXXXXX" 2>/dev/null) || continue
    # Room for what Docker writes.
    if head -c 65536 /dev/zero >"$DOCKER_CONFIG/room" && rm -- "$DOCKER_CONFIG/room"; then
      export DOCKER_CONFIG
      return
    fi 2>/dev/null
    rm -rf -- "$DOCKER_CONFIG"
  done
  return 1
}
