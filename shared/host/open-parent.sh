# shellcheck shell=bash
# Sent in front of programs that write to places where other users of the host may be able to write too.

# open_parent PATH: prints the topmost folder above PATH in which any user can replace entries: it is world-writable and,
# unlike /tmp, not sticky. Prints nothing if there is none. PATH is absolute; it may not exist, and may contain symbolic
# links.
open_parent() {
  local path folders=() found
  for path in "$(realpath --canonicalize-missing -- "$1")" "$1"; do
    while [[ -n $path ]]; do
      path=${path%/*}
      folders=("${path:-/}" "${folders[@]}")
    done
  done
  while IFS= read -r -d '' found; do
    (((8#${found%% *} & 8#1002) == 8#2)) || continue
    printf '%s' "${found#* }"
    return 0
  done < <(stat --dereference --printf '%a %n\0' -- "${folders[@]}" 2>/dev/null || true)
}
