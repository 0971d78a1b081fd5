# shellcheck shell=bash
# Pulls the images of a release onto the host, before anything is stopped, and protects them from docker image prune.

takes registry user password
# References to pull; references or ids of every image needed; ids of images to protect.
takes_list pulls images kept

main() {
  local each
  sweep_logins
  # The password is in no process's arguments, and in a file only during the pull.
  [[ -z $password ]] || log_in "$registry" "$user" "$password"

  for each in "${pulls[@]}"; do
    progress pulling "$each"
    pull "$each"
  done
  remove_login

  for each in "${images[@]}"; do look_at "$each"; done
  for each in "${kept[@]}"; do protect "$each"; done
}

look_at() {
  local facts
  facts=$(docker image inspect --format '{{.ID}} {{.Os}}/{{.Architecture}} {{range .RepoDigests}}{{.}} {{end}}' "$1" 2>/dev/null) ||
    facts=
  record image "$1 $facts"
  [[ -z $facts ]] || protect "${facts%% *}"
}

# docker image prune keeps images that have a name.
protect() { docker tag "$1" "atlasia-keep:${1:7:12}" || record not-kept "$1"; }

pull() {
  local error
  error=$(docker pull --quiet "$1" 2>&1 >/dev/null) || fail pull-failed "$1 $error"
}

ended() { remove_login; }
