# shellcheck shell=bash
# What the journals in `rollback/transactions` say of themselves, of all at once: there may be very many. Sent in front of the
# survey, and part of a transaction's engine.

# unfinished_transactions FOLDER: the ids of those that were begun and have not ended, a line each, the oldest first.
unfinished_transactions() (
  cd -- "$1" 2>/dev/null || exit 0
  mapfile -t journals < <(find_journals)
  mapfile -t journals < <(journals_of -L ended "${journals[@]}")
  journals_of -l begin "${journals[@]}" | cut -d / -f 1
)

# ended_transactions FOLDER: those that have.
ended_transactions() (
  cd -- "$1" 2>/dev/null || exit 0
  mapfile -t journals < <(find_journals)
  journals_of -l ended "${journals[@]}" | cut -d / -f 1
)

# find_journals: in the folder that we are in. What is only called alike, and a link to somewhere, is no transaction.
find_journals() {
  local journal
  for journal in [0-9]*/journal; do
    [[ ! $journal =~ ^[0-9]{8}_[0-9]{6}/ || -L ${journal%/*} || -L $journal || ! -f $journal ]] || printf '%s\n' "$journal"
  done
}

# journals_of -l|-L STEP JOURNAL...: those that have, or have not, a line of this step.
journals_of() {
  local option=$1 step=$2 at
  shift 2
  for ((at = 1; at <= $#; at += 500)); do
    grep -sa -D skip "$option" -e $'^[0-9]*\t'"$step"$'\t' -- "${@:at:500}" || true
  done
}
