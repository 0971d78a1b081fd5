# shellcheck shell=bash
# Publishes a set into its tiers, prunes, and writes the line into the log, while the program that took the dump still holds
# the lock. Short; it goes on even if the runner is gone.

takes backup_dir id
# The folder of the set's first tier, and the text of who took the lock.
takes home taken_by
# The line for the log, and the one to write instead if a step after the publication fails.
takes log_file log_line troubled_line
# The files beside the dump that the runner has written, packed.
takes_list sidecar_names sidecar_texts
# The other tiers to link the set into; what to remove, as TIER/ID; records for the history.
takes_list tiers deletions record_ids records audit_lines
# shellcheck disable=SC2034 # sets.sh reads it
takes_list layout

# How many sets to remove from a tier at a time.
readonly most_dropped=100

main() {
  local staging=$backup_dir/$home/.partial-$id set_name first=$backup_dir/$home at tier gone dropped=()
  troubled=
  set_name=$(prefix_in "$first")_$id
  claim "$backup_dir" "$staging" "$taken_by"
  cd -- "$staging" || exit

  for at in "${!sidecar_names[@]}"; do
    printf '%s' "${sidecar_texts[at]}" | base64 --decode | gzip -d -c >"${sidecar_names[at]}"
  done
  sync -- * .
  local file
  for file in "$set_name".*; do
    [[ $file == *.manifest.json ]] || ln -- "$file" "$first/"
  done
  sync -- "$first"
  ln -- "$set_name.manifest.json" "$first/"
  sync -- "$first"
  record published "$id"
  rm -rf -- "$staging"
  cd -- "$first" || exit

  for tier in "${tiers[@]}"; do
    ! attempt "The set could not be put into $tier" put "$first" "$backup_dir/$tier" "$set_name" "$id" || record entered "$tier"
  done
  # The deletions were planned for a set that is in all of its tiers.
  [[ -z $troubled || ${#deletions[@]} == 0 ]] || record problem 'Nothing was deleted'
  for at in "${!deletions[@]}"; do
    [[ -z $troubled ]] || break
    tier=${deletions[at]%/*}
    dropped+=("${deletions[at]#*/}")
    # Delete many at once: after years without retention there are thousands.
    ((${#dropped[@]} == most_dropped)) || [[ ${deletions[at + 1]-} != "$tier"/* ]] || continue
    ! attempt "Not all of ${dropped[*]} could be removed from $tier" drop "$backup_dir/$tier" "${dropped[@]}" ||
      for gone in "${dropped[@]}"; do record dropped "$tier/$gone"; done
    dropped=()
  done
  for at in "${!record_ids[@]}"; do
    attempt 'The history could not be written' append_history "$backup_dir/rollback" \
      "${record_ids[at]}" "${records[at]}" "${audit_lines[at]}" || true
  done
  [[ -z $troubled ]] || log_line=$troubled_line
  tell_log "$log_file" "$log_line"
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
