# shellcheck shell=bash
# Ends a run on the host, while the program that took the dump still holds the lock: publishes the set into its tiers and
# prunes, or puts a failed dump aside, and writes the line into the log. Short; it goes on even if the runner is gone.
#
# publish BACKUP-DIR HOLDER ID HOME LOG-FILE LOG-LINE TROUBLED-LINE SIDECARS NAME PACKED... TIERS TIER... DROPS TIER/ID... [ID RECORD LINE]...
# reject  BACKUP-DIR HOLDER ID HOME LOG-FILE LOG-LINE - DUMP REASON
# conclude BACKUP-DIR - - - LOG-FILE LOG-LINE -
#
# HOME is the folder of the set's first tier: daily, or rollback.

# How many sets to remove from a tier at a time.
readonly most_dropped=100

main() {
  local verb=$1
  backup_dir=$2 holder=$3 id=$4 home=$2/$5 log_file=$6 log_line=$7 troubled_line=$8 troubled=
  shift 8
  "$verb" "$@"
}

# attempt WHAT COMMAND...: if a step after the publication fails, the set stays, and the run reports the problem.
attempt() {
  local what=$1 error
  shift
  if ! error=$("$@" 2>&1); then
    troubled=yes
    record problem "$what: ${error:-it failed without a message}"
    return 1
  fi
}

publish() {
  local set_name count tier gone dropped=()
  set_name=$(prefix_in "$home")_$id
  claim_staging
  cd -- "$staging" || exit

  for ((count = $1; count > 0; count--)); do
    printf '%s' "$3" | base64 --decode | gzip -d -c >"$2"
    shift 2
  done
  shift
  sync -- * .
  local file
  for file in "$set_name".*; do
    [[ $file == *.manifest.json ]] || ln -- "$file" "$home/"
  done
  sync -- "$home"
  ln -- "$set_name.manifest.json" "$home/"
  sync -- "$home"
  record published "$id"
  rm -rf -- "$staging"
  cd -- "$home" || exit

  for ((count = $1; count > 0; count--)); do
    shift
    tier=$1
    ! attempt "The set could not be put into $tier" put_into "$tier" || record entered "$tier"
  done
  shift
  # The deletions were planned for a set that is in all of its tiers.
  [[ -z $troubled || $1 == 0 ]] || record problem 'Nothing was deleted'
  for ((count = $1; count > 0; count--)); do
    shift
    [[ -z $troubled ]] || continue
    dropped+=("${1#*/}")
    # Delete many at once: after years without retention there are thousands.
    ((count == 1 || ${#dropped[@]} == most_dropped)) || [[ ${2%/*} != "${1%/*}" ]] || continue
    ! attempt "Not all of ${dropped[*]} could be removed from ${1%/*}" drop "$backup_dir/${1%/*}" "${dropped[@]}" ||
      for gone in "${dropped[@]}"; do record dropped "${1%/*}/$gone"; done
    dropped=()
  done
  shift
  while (($#)); do
    attempt 'The history could not be written' append_history "$backup_dir/rollback" "$1" "$2" "$3" || true
    shift 3
  done
  [[ -z $troubled ]] || log_line=$troubled_line
  conclude
}

# A predeployment set gets a folder of its own, which appears in one step.
put_into() {
  if [[ $1 != predeployment ]]; then
    put "$home" "$backup_dir/$1" "$id"
  else
    local marker=$backup_dir/predeployment/.partial-$id
    mkdir -- "$marker" && ln -- "$home/backup_$id".* "$marker/" &&
      mv -T -- "$marker" "$backup_dir/predeployment/$id" && sync -- "$backup_dir/predeployment"
  fi
}

reject() {
  claim_staging
  local failed=$backup_dir/failed
  printf '%s\n' "$2" >"$staging/reason"
  rm -f -- "$failed"/failed_[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]_[0-9][0-9][0-9][0-9][0-9][0-9].*
  mv -T -- "$staging/$1" "$failed/failed_$id.${1#*.}"
  mv -T -- "$staging/reason" "$failed/failed_$id.reason.txt"
  rm -rf -- "$staging"
  record rejected "$failed/failed_$id.${1#*.}"
  conclude
}

# Makes sure that the lock is still ours, and that its holder waits until we are done, whatever happens to the runner.
claim_staging() {
  staging=$home/.partial-$id
  holds_lock "$backup_dir/.lock" "$holder" ||
    fail lock-lost "The lock on $backup_dir was lost while the backup was running"
  exec 7>>"$backup_dir/.lock.publish"
  flock --nonblock 7 || fail dump-lost "$staging is being removed"
  [[ -d $staging ]] || fail dump-lost "$staging was removed"
}

# The folder of the log is missing only if the run failed before creating it.
conclude() {
  [[ -d ${log_file%/*} ]] || return 0
  attempt "The log could not be written" append_log "$log_file" "$log_line" || true
}
