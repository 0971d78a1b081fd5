# shellcheck shell=bash
# Read-only: finds the transaction that was started by the run with this history record.

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
