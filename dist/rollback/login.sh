# shellcheck shell=bash
# A registry login that lasts only as long as the program, and leaves the user's own login alone. Its folder is in a place
# where others can write too. So its name is unpredictable, and anything that others put there under such a name is ignored.

# Where the folder may be, the best place first: in memory, or on disk if others have filled that.
login_parents=(/dev/shm "${TMPDIR:-/tmp}" ~)

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
  unset DOCKER_CONFIG
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
  local error
  make_login_folder || fail login-failed "Cannot create a folder for the login in any of: ${login_parents[*]}"
  error=$(printf '%s' "$3" | timeout 60 docker login --username "$2" --password-stdin "$1" 2>&1 >/dev/null) ||
    fail login-failed "$error"
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
