# shellcheck shell=bash
# Looks at volumes over folders in which an image has files of its own: Docker puts those into a volume that is new and empty, and
# never again. A container of the image, which is never started, shows what they are.

# A part of the names of our containers, by which `ended` finds them.
takes_word token
# Lines `CONTAINER IMAGE KIND PATH`: ids; whether the volume is `anonymous` or `named`; where it is mounted.
takes_list volume

# Seconds for one look, and for Docker to make one container: it copies what the image has into volumes.
readonly look_patience=20 create_patience=60

# By image: the name of its container; empty if it could not be made.
declare -A shown=()

main() {
  local line container image kind path
  for line in "${volume[@]}"; do
    read -r container image kind path <<<"$line"
    if ! show "$image" || ! has_files "${shown[$image]}" "$path"; then continue; fi
    if [[ $kind == anonymous ]] && is_same "${shown[$image]}" "$container" "$path"; then
      record volume "only $container $path"
    else
      record volume "also $container $path"
    fi
  done
}

# show IMAGE: has a container of it in `shown`. A word is in place of its command, as an image may have none.
show() {
  if [[ ! -v shown[$1] ]]; then
    shown[$1]=atlasia-volumes-$token-${#shown[@]}
    timeout "$create_patience" docker create --name "${shown[$1]}" --network none --entrypoint none "$1" none >/dev/null 2>&1 </dev/null ||
      shown[$1]=
  fi
  [[ -n ${shown[$1]} ]]
}

# has_files CONTAINER PATH: whether there is more than folders.
has_files() {
  local found
  found=$(timeout "$look_patience" docker cp "$1:$2" - 2>/dev/null | tar --list --verbose 2>/dev/null | grep -v -m 1 '^d') || true
  [[ -n $found ]]
}

# is_same ONE OTHER PATH: whether both containers have exactly the same there. Stops at the first difference. Two failures are not
# the same.
is_same() {
  timeout "$look_patience" cmp --silent <(facts "$1" "$3" || echo one) <(facts "$2" "$3" || echo other) &&
    timeout "$look_patience" cmp --silent <(texts "$1" "$3" || echo one) <(texts "$2" "$3" || echo other)
}

# facts CONTAINER PATH: a line for each file and folder. The time of a folder is that of the copy.
facts() {
  docker cp "$1:$2" - 2>/dev/null | tar --list --verbose --numeric-owner --full-time 2>/dev/null |
    sed -E '/^d/s/ [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+ / /'
}

# texts CONTAINER PATH: what is in the files.
texts() { docker cp "$1:$2" - 2>/dev/null | tar --extract --to-stdout 2>/dev/null; }

ended() {
  local ids
  ids=$(docker ps --all --quiet --filter "name=^/?atlasia-volumes-$token-") || return 0
  # shellcheck disable=SC2086 # ids are hex digits
  [[ -z $ids ]] || docker rm --force --volumes $ids >/dev/null 2>&1 </dev/null || true
}
