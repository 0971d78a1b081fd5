# shellcheck shell=bash
# Pulls the images of a release onto the host, before anything is stopped, and protects them from docker image prune.
#
# REGISTRY USER PASSWORD PULLS REFERENCE... IMAGES REFERENCE-OR-ID... KEPT ID...

main() {
  local registry=$1 user=$2 password=$3 count
  shift 3
  sweep_logins
  # The password is in no process's arguments, and in a file only during the pull.
  [[ -z $password ]] || log_in "$registry" "$user" "$password"

  for ((count = $1; count > 0; count--)); do
    shift
    progress pulling "$1"
    pull "$1"
  done
  shift
  remove_login

  for ((count = $1; count > 0; count--)); do
    shift
    look_at "$1"
  done
  shift
  for ((count = $1; count > 0; count--)); do
    shift
    keep "$1"
  done
}

look_at() {
  local facts
  facts=$(docker image inspect --format '{{.ID}} {{.Os}}/{{.Architecture}} {{range .RepoDigests}}{{.}} {{end}}' "$1" 2>/dev/null) ||
    facts=
  record image "$1 $facts"
  [[ -z $facts ]] || keep "${facts%% *}"
}

# docker image prune keeps images that have a name.
keep() { docker tag "$1" "atlasia-keep:${1:7:12}" || record not-kept "$1"; }

pull() {
  local error
  error=$(docker pull --quiet "$1" 2>&1 >/dev/null) || fail pull-failed "$1 $error"
}

ended() { remove_login; }
