# shellcheck shell=bash
# Read-only: checks that the login works and that the registry has these images.
#
# REGISTRY USER PASSWORD REFERENCE...

main() {
  local registry=$1 user=$2 password=$3 reference error insecure=()
  shift 3
  sweep_logins
  [[ -z $password ]] || log_in "$registry" "$user" "$password"
  for reference in "$@"; do
    insecure=()
    # Docker itself accepts these registries without TLS.
    [[ ! $reference =~ ^(localhost|127\.[0-9.]+)(:[0-9]+)?/ ]] || insecure=(--insecure)
    if error=$(timeout 30 docker manifest inspect "${insecure[@]}" "$reference" 2>&1 >/dev/null </dev/null); then
      record there "$reference"
    else
      record away "$reference ${error:-no answer within 30 s}"
    fi
  done
  remove_login
}

ended() { remove_login; }
