# shellcheck shell=bash
# Creates a transaction's folder on the host, and starts its engine.

takes backup_dir
takes_number second
# The files to write; plan.tsv gets the transaction's id as its first line.
takes_list file_names file_texts

main() {
  local id at file said
  transactions=$backup_dir/rollback/transactions
  said=$(mkdir -p -- "$transactions" 2>&1) || not_written "$said"
  # Remove what a run has left that was killed while it wrote.
  find "$transactions" -mindepth 1 -maxdepth 1 -name '.partial-*' -mmin +60 -exec rm -rf -- {} +
  # The id is the second in which the run started, or the next free one if another run has taken that.
  for (( ; ; second++)); do
    id=$(date --utc --date "@$second" +%Y%m%d_%H%M%S)
    staging=$transactions/.partial-$id
    if said=$(mkdir -- "$staging" 2>&1); then
      # Check again: another run with this id may have finished writing just before our mkdir.
      [[ -e $transactions/$id ]] || break
      rmdir -- "$staging"
    elif [[ ! -e $staging && ! -e $transactions/$id ]]; then
      not_written "$said"
    fi
  done
  said=$(mkdir -- "$staging/outcome" 2>&1) || not_written "$said"
  for at in "${!file_names[@]}"; do
    file=$staging/${file_names[at]}
    [[ ${file_names[at]} != plan.tsv ]] || said=$({ printf 'id\t%s\n' "$id" >"$file"; } 2>&1) || not_written "$said"
    # Fill in the id: the label of the new containers names the transaction.
    said=$({ printf '%s' "${file_texts[at]//@transaction@/$id}" >>"$file"; } 2>&1) || not_written "$said"
  done
  if ! may_launch "$staging"; then
    rm -rf -- "$staging"
    fail gate-refused "The engine of this release is not on the list of the gate in authorized_keys"
  fi
  said=$(sync -- "$staging"/* "$staging"/outcome/* "$staging" 2>&1) || not_written "$said"
  said=$({ mv -T -- "$staging" "$transactions/$id" && sync -- "$transactions"; } 2>&1) || not_written "$said"
  launch "$transactions/$id"
  record transaction "$id"
}

# not_written ERROR: only the error tells whether the disk was full.
not_written() {
  [[ -z ${staging-} ]] || rm -rf -- "$staging"
  case $1 in
    *'No space left on device'* | *'Disk quota exceeded'*) fail disk-full "$1" ;;
    *) fail write-failed "$1" ;;
  esac
}
