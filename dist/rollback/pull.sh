# shellcheck shell=bash
# Pulls the images of a release onto the host, before anything is stopped, and protects them from docker image prune.

takes registry user password keeper
# References to pull; references or ids of every image needed; ids of images to protect, and of those that need it no more.
# shellcheck disable=SC2034 # keep.sh reads them by their names
takes_list pulls images kept released

main() {
  local each
  sweep_logins
  # The user's own logins, for other registries, are out of sight during ours.
  for each in "${pulls[@]}"; do belongs_to "$registry" "$each" || pull "$each"; done
  # The password is in no process's arguments, and in a file only during the pull.
  [[ -z $password ]] || log_in "$registry" "$user" "$password"
  for each in "${pulls[@]}"; do ! belongs_to "$registry" "$each" || pull "$each"; done
  remove_login

  for each in "${images[@]}"; do look_at "$each"; done
  keep_names "$keeper" kept released
}

look_at() {
  local facts
  facts=$(docker image inspect --format '{{.ID}} {{.Os}}/{{.Architecture}} {{range .RepoDigests}}{{.}} {{end}}' "$1" 2>/dev/null) ||
    facts=
  record image "$1 $facts"
  [[ -z $facts ]] || kept+=("${facts%% *}")
}

pull() {
  local error
  progress pulling "$1"
  error=$(docker pull --quiet "$1" 2>&1 >/dev/null) || fail pull-failed "$1 $error"
}

ended() { remove_login; }
