# shellcheck shell=bash
# Restarts the engine of a transaction that has lost its supervisor.

takes backup_dir id

main() {
  may_launch "$backup_dir/rollback/transactions/$id" ||
    fail gate-refused "The engine of transaction $id is not on the list of the gate in authorized_keys"
  launch "$backup_dir/rollback/transactions/$id"
  record transaction "$id"
}
