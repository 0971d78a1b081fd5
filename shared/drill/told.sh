# shellcheck shell=bash disable=SC2034 # `troubled` is the program's own
# How a program asks a restored database, whose answers may be hostile: they are passed on as they come, never held in this shell,
# and cut off if they are longer than any honest answer. The program has `silence_all`, which ends all sessions there, and
# `heed_watch`, which fails if the disk is no longer as it was.

# tell KEY BYTES COMMAND...: records the command's output. A last line, added by us, says how it ended: `exit STATUS`, or
# `cut BYTES` if there was more output than that.
tell() {
  local key=$1 most=$2 statuses=(0 0)
  shift 2
  printf '%s\0' "$key"
  answered "$key" "$@" | limited "$most" || statuses=("${PIPESTATUS[@]}")
  ((statuses[0] == 0)) || troubled=yes
  if ((statuses[1] == 0 && statuses[0] != 77)); then
    printf '\nexit %s\0' "${statuses[0]}"
  else
    printf '\ncut %s\0' "$most"
    # Whatever was cut off would go on printing in the container: end it.
    silence_all || true
  fi
  heed_watch
}

# limited BYTES: passes on that many bytes, without NULs, which end a record. Fails if there is more, and cuts the writer off.
limited() {
  head -c "$1" | tr -d '\0'
  (($(head -c 1 | wc -c) == 0))
}
