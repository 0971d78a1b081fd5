# shellcheck shell=bash
# Tells the runner what the journal of a transaction says, as it grows, until it has ended or nobody carries it any more.
# Reads only: the transaction does not know that it is followed.

takes backup_dir id told

main() {
  local folder=$backup_dir/rollback/transactions/$id idle=0
  cd -- "$folder" || fail no-transaction "$folder is not there"
  while :; do
    # Asked before the journal is read: what a carrier wrote last is seen then.
    if carried; then idle=0; else idle=$((idle + 1)); fi
    tell_news
    ! grep -q $'^[0-9]*\tended\t' journal 2>/dev/null || break
    if ((idle >= 10)); then
      record abandoned "$id"
      break
    fi
    sleep 0.2
  done
  [[ ! -e journal ]] || tell_journal
  [[ ! -s recorded.json ]] || record recorded "$(<recorded.json)"
  record log "$(tail -c 20000 log 2>/dev/null)"
}

# The dot keeps the last line break: without one, a line is not whole.
tell_journal() {
  local text
  text=$(cat journal && printf .)
  record journal "${text%.}"
}

# carried: whether the supervisor lives; one that was just started has not yet said who it is.
carried() {
  local process
  [[ -s carrier ]] && process=$(<carrier) && grep -qF -- engine.sh "/proc/$process/cmdline" 2>/dev/null
}

tell_news() {
  local lines line
  [[ -e journal ]] || return 0
  mapfile -s "$told" lines <journal
  for line in "${lines[@]}"; do
    # Its end is not written yet.
    [[ $line == *$'\n' ]] || break
    progress journal "${line%$'\n'}"
    told=$((told + 1))
  done
}
