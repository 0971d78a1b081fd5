# shellcheck shell=bash
# A login at a registry that lives no longer than the program: nobody's own is touched.

# Of a run that was killed with its supervisor, so that nobody took it away.
sweep_logins() {
  local folder
  for folder in "$(login_parent)"/atlasia-login.*; do
    [[ -O $folder && ! -e /proc/${folder##*.} ]] || continue
    rm -rf -- "$folder"
  done
}

# In memory, where there is such a place.
login_parent() {
  if [[ -d /dev/shm && -w /dev/shm ]]; then printf /dev/shm; else printf '%s' "${TMPDIR:-/tmp}"; fi
}

log_in() {
  local error
  DOCKER_CONFIG=$(login_parent)/atlasia-login.$$
  mkdir -m 0700 -- "$DOCKER_CONFIG"
  export DOCKER_CONFIG
  error=$(printf '%s' "$3" | timeout 60 docker login --username "$2" --password-stdin "$1" 2>&1 >/dev/null) ||
    fail login-failed "$error"
}

remove_login() {
  rm -rf -- "$(login_parent)/atlasia-login.$$"
  unset DOCKER_CONFIG
}
