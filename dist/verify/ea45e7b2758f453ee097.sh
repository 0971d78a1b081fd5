# shellcheck shell=bash
# Creates a transaction's folder on the host, and starts its engine.

takes backup_dir second
# The files to write; plan.tsv gets the transaction's id as its first line.
takes_list file_names file_texts

main() {
  local id at file
  transactions=$backup_dir/rollback/transactions
  mkdir -p -- "$transactions" || disk_full
  # Remove what a run has left that was killed while it wrote.
  find "$transactions" -mindepth 1 -maxdepth 1 -name '.partial-*' -mmin +60 -exec rm -rf -- {} +
  # The id is the second in which the run started, or the next free one if another run has taken that.
  for (( ; ; second++)); do
    id=$(date --utc --date "@$second" +%Y%m%d_%H%M%S)
    staging=$transactions/.partial-$id
    if mkdir -- "$staging" 2>/dev/null; then
      # Check again: another run with this id may have finished writing just before our mkdir.
      [[ -e $transactions/$id ]] || break
      rmdir -- "$staging"
    elif [[ ! -e $staging && ! -e $transactions/$id ]]; then
      disk_full
    fi
  done
  mkdir -- "$staging/outcome" || disk_full
  for at in "${!file_names[@]}"; do
    file=$staging/${file_names[at]}
    [[ ${file_names[at]} != plan.tsv ]] || printf 'id\t%s\n' "$id" >"$file" || disk_full
    # Fill in the id: the label of the new containers names the transaction.
    printf '%s' "${file_texts[at]//@transaction@/$id}" >>"$file" || disk_full
  done
  sync -- "$staging"/* "$staging" || disk_full
  mv -T -- "$staging" "$transactions/$id"
  launch "$transactions/$id"
  record transaction "$id"
}

disk_full() {
  [[ -z ${staging-} ]] || rm -rf -- "$staging"
  fail disk-full "$(df --output=avail,target -h -- "${transactions%/rollback/*}" | tail -n 1)"
}
