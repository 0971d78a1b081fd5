# shellcheck shell=bash
# Read-only: checks that the login works and that the registry has these images.

takes registry user password
takes_list references

main() {
  local reference error insecure=()
  sweep_logins
  [[ -z $password ]] || log_in "$registry" "$user" "$password"
  for reference in "${references[@]}"; do
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
