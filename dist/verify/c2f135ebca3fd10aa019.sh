# shellcheck shell=bash
# Asks a transaction not to begin its swap.

takes backup_dir id

main() { : >"$backup_dir/rollback/transactions/$id/abort"; }
