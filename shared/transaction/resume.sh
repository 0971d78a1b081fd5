# shellcheck shell=bash
# Starts the engine of a transaction anew that was begun and has lost its supervisor.

takes backup_dir id

main() {
  launch "$backup_dir/rollback/transactions/$id"
  record transaction "$id"
}
