# shellcheck shell=bash
# Restarts the engine of a transaction that has lost its supervisor.

takes backup_dir id

main() {
  launch "$backup_dir/rollback/transactions/$id"
  record transaction "$id"
}
