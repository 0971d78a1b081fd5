# shellcheck shell=bash
# The file that gets a line for each run. It may stand where other users of the host write as well, as in /tmp.

# append_log FILE LINE: only into a file of our own, or root's, that has no other name; through no link, and where nobody
# else could put another in its place. What is in the way is printed.
append_log() {
  local open new
  open=$(open_parent "$1")
  if [[ -n $open ]]; then
    printf 'any user of the host can replace files in %s. On the host: chmod o-w %q' "$open" "$open"
    return 1
  elif [[ -e $1 || -L $1 ]]; then
    is_own_file "$1" && printf '%s\n' "$2" >>"$1"
  else
    # Under another name first, which then becomes its own if that is still free: a link that came meanwhile is not followed.
    new=$(mktemp -- "$1.XXXXXXXXXX") || return
    if printf '%s\n' "$2" >"$new" && ln -T -- "$new" "$1"; then
      rm -f -- "$new"
    else
      rm -f -- "$new"
      return 1
    fi
  fi
}

# tell_log FILE LINE: as append_log; where that fails, the run tells of it. The folder of the log is there, unless the run
# failed before it could make it.
tell_log() {
  local error
  [[ -d ${1%/*} ]] || return 0
  error=$(append_log "$1" "$2" 2>&1) || record problem "The log could not be written: ${error:-it failed}"
}

is_own_file() {
  local type owner user links
  IFS='|' read -r type owner user links < <(stat --format '%F|%u|%U|%h' -- "$1") || return
  if [[ $type != regular* ]]; then
    printf '%s is a %s, not a file' "$1" "$type"
  elif ((owner != UID && owner != 0)); then
    printf '%s belongs to %s' "$1" "$user"
  elif ((links > 1)); then
    printf '%s has %s names' "$1" "$links"
  else
    return 0
  fi
  return 1
}
