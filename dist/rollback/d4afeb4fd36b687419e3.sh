# shellcheck shell=bash
# Protects images from docker image prune, which keeps images that have a name. The name says whose it is: another project on
# this host may need the same image for longer.

# keep_names KEEPER KEPT RELEASED: gives a name to each id in the array KEPT, and takes it from each in RELEASED that is not
# among them. Without --force, Docker refuses if a container still needs it.
keep_names() {
  local -n these=$2 those=$3
  local id tag gone=' '
  for id in "${these[@]}"; do docker tag "$id" "atlasia-keep:${id:7:12}-$1" || record not-kept "$id"; done
  for id in "${those[@]}"; do [[ " ${these[*]} " == *" $id "* ]] || gone+="${id:7:12}-$1 "; done
  [[ $gone != ' ' ]] || return 0
  while IFS= read -r tag; do
    [[ $gone != *" $tag "* ]] || docker image rm "atlasia-keep:$tag" >/dev/null 2>&1 || true
  done < <(docker image ls --format '{{.Tag}}' atlasia-keep 2>/dev/null)
}
