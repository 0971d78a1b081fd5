# shellcheck shell=bash
# Reports the journal of a transaction to the runner as it grows, until it has finished or nobody carries it any more.
# Read-only: the transaction does not notice.

takes backup_dir id
takes_number lines_seen

main() {
  local folder=$backup_dir/rollback/transactions/$id idle=0
  cd -- "$folder" || fail no-transaction "$folder does not exist"
  while :; do
    # Check this before reading the journal, so as not to miss the last lines of a supervisor.
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
  tell_last_words
  record log "$(tail -c 20000 log 2>/dev/null)"
}

# The end of what each container of the target has printed, if it was kept: a line with its service, then at most 15 lines.
tell_last_words() {
  local file service count=0
  for file in evidence/*.target.*.log; do
    [[ -s $file ]] || continue
    ((count < 20)) || break
    count=$((count + 1)) service=${file#evidence/}
    # A service's name may have dots, as the rest has: `.target.`, twelve digits of the id, `.log`.
    record last-words "${service%.target.*}"$'\n'"$(tail -n 15 -- "$file" | cut -b 1-400)"
  done
}

# The dot preserves the final line break: a line without one is incomplete.
tell_journal() {
  local text
  text=$(cat journal && printf .)
  record journal "${text%.}"
}

# carried: whether the supervisor is alive. One that has just started may not have written its process id yet.
carried() {
  local process
  process=$(cat carrier 2>/dev/null) && [[ -n $process ]] && grep -qF -- engine.sh "/proc/$process/cmdline" 2>/dev/null
}

tell_news() {
  local lines line
  [[ -e journal ]] || return 0
  mapfile -s "$lines_seen" lines <journal
  for line in "${lines[@]}"; do
    # The line is not complete yet.
    [[ $line == *$'\n' ]] || break
    progress journal "${line%$'\n'}"
    lines_seen=$((lines_seen + 1))
  done
}
