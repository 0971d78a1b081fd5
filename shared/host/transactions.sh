# shellcheck shell=bash
# Reads all journals in `rollback/transactions` at once, since there may be very many. Sent in front of the survey, and part
# of a transaction's engine.

# unfinished_transactions FOLDER: ids of those that have begun and not ended, one per line, the oldest first.
unfinished_transactions() (
  cd -- "$1" 2>/dev/null || exit 0
  mapfile -t journals < <(find_journals)
  mapfile -t journals < <(journals_of -L ended "${journals[@]}")
  journals_of -l begin "${journals[@]}" | cut -d / -f 1
)

# ended_transactions FOLDER: ids of those that have ended.
ended_transactions() (
  cd -- "$1" 2>/dev/null || exit 0
  mapfile -t journals < <(find_journals)
  journals_of -l ended "${journals[@]}" | cut -d / -f 1
)

# find_journals: lists the journals in the current folder. Files with similar names and symbolic links are not transactions.
find_journals() {
  local journal
  for journal in [0-9]*/journal; do
    [[ ! $journal =~ ^[0-9]{8}_[0-9]{6}/ || -L ${journal%/*} || -L $journal || ! -f $journal ]] || printf '%s\n' "$journal"
  done
}

# journals_of -l|-L STEP JOURNAL...: those that have (-l) or lack (-L) a line of this step.
journals_of() {
  local option=$1 step=$2 at
  shift 2
  for ((at = 1; at <= $#; at += 500)); do
    grep -sa -D skip "$option" -e $'^[0-9]*\t'"$step"$'\t' -- "${@:at:500}" || true
  done
}
