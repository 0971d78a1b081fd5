# shellcheck shell=bash
# Protects images from docker image prune, which keeps images that have a name. The name says whose it is: another project on
# this host may need the same image for longer.

# keep KEEPER ID
keep() { docker tag "$2" "$(kept_name "$@")" || record not-kept "$2"; }

# let_go KEEPER ID: takes the name away, if there is one. Without --force, Docker refuses if a container still needs it.
let_go() {
  ! docker image inspect "$(kept_name "$@")" >/dev/null 2>&1 || docker image rm "$(kept_name "$@")" >/dev/null 2>&1 || true
}

kept_name() { printf 'atlasia-keep:%s-%s' "${2:7:12}" "$1"; }
