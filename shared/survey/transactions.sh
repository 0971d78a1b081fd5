# shellcheck shell=bash
# Reads all journals in `rollback/transactions` at once, since there may be very many. Sent in front of the survey, and part
# of a transaction's engine. Each of these fails if a journal cannot be read: it might be an unfinished one.

# unfinished_transactions FOLDER: the ids of those that have begun and not ended, a line each, the oldest first.
unfinished_transactions() (
  enter_transactions "$1"
  mapfile -t journals < <(find_journals)
  open=$(journals_of -L ended "${journals[@]}") || exit
  [[ -n $open ]] || exit 0
  mapfile -t journals <<<"$open"
  begun=$(journals_of -l begin "${journals[@]}") || exit
  ids_of "$begun"
)

# ended_transactions FOLDER: those that have ended.
ended_transactions() (
  enter_transactions "$1"
  mapfile -t journals < <(find_journals)
  ended=$(journals_of -l ended "${journals[@]}") || exit
  ids_of "$ended"
)

# left_transactions FOLDER: those that have left things as they were when the target failed (`on-failure: leave`).
left_transactions() (
  enter_transactions "$1"
  mapfile -t journals < <(find_journals)
  left=$(journals_of -l left "${journals[@]}") || exit
  ids_of "$left"
)

# enter_transactions FOLDER: a host without the folder has no transactions.
enter_transactions() {
  [[ -e $1 ]] || exit 0
  cd -- "$1" 2>/dev/null || exit 1
}

ids_of() { [[ -z $1 ]] || cut -d / -f 1 <<<"$1"; }

# find_journals: lists the journals in the current folder. Files with similar names and symbolic links are not transactions.
find_journals() {
  local journal
  for journal in [0-9]*/journal; do
    [[ ! $journal =~ ^[0-9]{8}_[0-9]{6}/ || -L ${journal%/*} || -L $journal || ! -f $journal ]] || printf '%s\n' "$journal"
  done
}

# journals_of -l|-L STEP JOURNAL...: those that have (-l) or lack (-L) a line of this step.
journals_of() {
  local option=$1 step=$2 at status
  shift 2
  for ((at = 1; at <= $#; at += 500)); do
    status=0
    grep -sa -D skip "$option" -e $'^[0-9]*\t'"$step"$'\t' -- "${@:at:500}" || status=$?
    ((status < 2)) || were_pruned "${@:at:500}" || return
  done
}

# were_pruned JOURNAL...: whether what could not be read is gone, as a transaction that ends prunes old ones.
were_pruned() {
  local journal
  for journal in "$@"; do
    cat -- "$journal" >/dev/null 2>&1 || [[ ! -e $journal ]] || return
  done
}
