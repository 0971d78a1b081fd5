# shellcheck shell=bash
# Read-only: whether a transaction was put here by the run that adds this record to the history.

takes backup_dir history_id

main() {
  local plan at plans
  shopt -s nullglob
  plans=("$backup_dir"/rollback/transactions/[0-9]*/plan.tsv)
  for ((at = 0; at < ${#plans[@]}; at += 500)); do
    while IFS= read -r plan; do
      record transaction "$(basename -- "${plan%/plan.tsv}")"
    done < <(grep -slxF -- "history_id"$'\t'"$history_id" "${plans[@]:at:500}")
  done
}
