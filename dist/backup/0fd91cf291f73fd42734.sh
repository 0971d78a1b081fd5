# shellcheck shell=bash
# Sent in front of the programs that write where other users of the host may write as well.

# open_parent PATH: the topmost folder above PATH in which any user may put another entry in the place of one that is there:
# all may write to it, and it does not keep each entry for its owner, as /tmp does. Nothing where there is none. PATH is
# absolute; it need not be there, and may lead through links.
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
