# shellcheck shell=bash
# Read-only: checks that the login works and that the registry has these images, and what tags stand for there.

takes registry user password
takes_list references tags

silent=

main() {
  local each
  sweep_logins
  # The user's own logins, for other registries, are out of sight during ours.
  for each in "${references[@]}" "${tags[@]}"; do belongs_to "$registry" "$each" || ask "$each"; done
  [[ -z $password ]] || log_in "$registry" "$user" "$password"
  for each in "${references[@]}" "${tags[@]}"; do ! belongs_to "$registry" "$each" || ask "$each"; done
  remove_login
}

# ask REFERENCE: whether the registry has it. One that has kept us waiting is not asked again.
ask() {
  local answer options=() host=${1%%/*} code=0
  # Docker itself accepts these registries without TLS.
  [[ ! $1 =~ ^(localhost|127\.[0-9.]+)(:[0-9]+)?/ ]] || options=(--insecure)
  [[ " ${tags[*]} " != *" $1 "* ]] || options+=(--verbose)
  if [[ " $silent " == *" $host "* ]]; then
    code=124
  else
    answer=$(timeout 30 docker manifest inspect "${options[@]}" "$1" 2>&1 </dev/null) || code=$?
  fi
  if ((code == 124)); then
    silent+=" $host"
    record away "$1 no answer within 30 s"
  elif ((code)); then
    record away "$1 $answer"
  else
    record there "$1"
    [[ " ${tags[*]} " != *" $1 "* ]] || tell_meaning "$1" "$answer"
  fi
}

# tell_meaning REFERENCE MANIFESTS: records what the tag stands for. If it is for several platforms, which is a list, the
# manifests name only the parts; the digest of the whole is known to buildx, where that is installed.
tell_meaning() {
  local whole=
  [[ $'\n'$2 != *$'\n['* ]] ||
    whole=$(timeout 30 docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1" 2>/dev/null </dev/null) || whole=
  record meaning "$1 ${whole:--} $2"
}

ended() { remove_login; }
