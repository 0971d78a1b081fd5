# shellcheck shell=bash
# The log that gets one line for each run. It may be in a folder where other users of the host can write too, like /tmp.

# append_log FILE LINE: writes only into a file that belongs to us or root, has no other hard link, is not a symbolic link,
# and that nobody else could have replaced. Otherwise prints the reason.
append_log() {
  local open
  open=$(open_parent "$1")
  if [[ -n $open ]]; then
    printf 'any user on the host can replace files in %s. On the host, as root: chmod o-w %q' "$open" "$open"
    return 1
  fi
  if [[ ! -e $1 && ! -L $1 ]]; then
    ! create_log "$1" "$2" || return 0
    # Unless another run has created it meanwhile: then the line goes behind that run's, whose temporary name is a second link to
    # the file for a moment.
    [[ -e $1 || -L $1 ]] || return
    sleep 1
  fi
  is_own_file "$1" && printf '%s\n' "$2" >>"$1"
}

# create_log FILE LINE: first under a temporary name, then linked to its own if that is still free: so a link created meanwhile is not
# followed.
create_log() {
  local new status=0
  new=$(mktemp -- "$1.XXXXXXXXXX") || return
  { printf '%s\n' "$2" >"$new" && ln -T -- "$new" "$1"; } || status=$?
  rm -f -- "$new"
  return "$status"
}

# tell_log FILE LINE: like append_log; if that fails, the run reports the problem. The folder of the log is missing only if the
# run failed before creating it.
tell_log() {
  local error
  [[ -d ${1%/*} ]] || return 0
  error=$(append_log "$1" "$2" 2>&1) || record problem "The log could not be written: ${error:-it failed without a message}"
}

is_own_file() {
  local type owner user links
  IFS='|' read -r type owner user links < <(stat --format '%F|%u|%U|%h' -- "$1") || return
  if [[ $type != regular* ]]; then
    printf '%s is a %s, not a file' "$1" "$type"
  elif ((owner != UID && owner != 0)); then
    printf '%s belongs to %s' "$1" "$user"
  elif ((links > 1)); then
    printf '%s has %s hard links' "$1" "$links"
  else
    return 0
  fi
  return 1
}
