# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Carries out one rollback on the host, without the runner. In the end either the target is running and proven, or the
# previous release is running again. This file is in the transaction's folder; `bash engine.sh` there finishes it.

set -uo pipefail
umask 077
export LC_ALL=C
shopt -u failglob
trap '' HUP PIPE

folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
cd -- "$folder" || exit
rollback_dir=${folder%/transactions/*}
lock=${rollback_dir%/*}/.lock
readonly folder rollback_dir lock
# How often the supervisor starts the engine before it gives up. The next run of an action tries again.
readonly most_lives=4

main() {
  read_plan
  compose_command "${plan[project]}" "${call[@]}"
  case ${1-} in
    engine) engine ;;
    ask-url) url_answers ;;
    *) supervise ;;
  esac
}

# Holds the lock, and restarts the engine if it dies. The engine's children do not hold the lock.
supervise() {
  local lives=0
  exec 9>>"$lock" || exit
  await_carrier || exit
  printf '%s\n' "$$" >carrier
  await_lock || exit
  printf '%s\n' "$$" >carrier
  tell_holder "$lock" "${plan[holder]}"
  end_strays
  [[ -e reserve ]] || head -c 262144 /dev/zero >reserve 2>/dev/null || true
  has begin || journal begin || exit
  set -m # what the engine leaves behind has a group of its own
  while ! has ended && ((lives < most_lives)); do
    lives=$((lives + 1))
    ATLASIA_TRANSACTION=$folder "$BASH" "$folder/engine.sh" engine 9>&- </dev/null &
    wait "$!" || true
    end_strays
    has ended || journal engine-died
    ((lives == 1)) || sleep 1
  done
  rm -f -- "$lock.holder" reserve
  lay_down
  exec 9>&- # nobody has to wait for what follows
  ! has ended || prune_transactions
  has ended
}

# await_carrier: if another supervisor already carries this transaction, waits for it.
await_carrier() {
  local waited=0
  while is_carried; do
    ((waited)) || printf 'Process %s is already working on it; waiting for it\n' "$(cat carrier 2>/dev/null)" >&2
    ((waited < plan[lock_wait])) || return
    sleep 1
    waited=$((waited + 1))
  done
}

# is_carried: whether another supervisor of this transaction is alive.
is_carried() {
  local process
  process=$(cat carrier 2>/dev/null) && [[ -n $process && $process != "$$" ]] &&
    grep -qF -- engine.sh "/proc/$process/cmdline" 2>/dev/null
}

lay_down() { [[ $(cat carrier 2>/dev/null) != "$$" ]] || rm -f -- carrier; }

await_lock() {
  local waited=0 problem=
  until flock --nonblock 9; do
    if [[ -e abort ]]; then
      problem='cancelled Cancelled while waiting for the lock'
      break
    elif ((waited >= plan[lock_wait])); then
      problem="lock-held $(lock_holder "$lock")"
      break
    fi
    ((waited % 15)) || journal waiting "$(lock_holder "$lock")"
    sleep 1
    waited=$((waited + 1))
  done
  # A lock on a file that was deleted in the meantime protects nothing.
  [[ -n $problem || /proc/self/fd/9 -ef $lock ]] || problem="lock-lost $lock was replaced while we were waiting for it"
  [[ -n $problem ]] || return 0
  # A transaction that has begun stays as it is: whoever gets the lock next finishes it.
  if ! has begin; then
    drop_files
    broken "${problem%% *}" "${problem#* }" || journal ended refused
  fi
  lay_down
  return 1
}

# end_strays: kills processes of this transaction that outlived its engine: compose, or a request to a service. Finds them by the
# folder: another project on this host may have a transaction with the same id.
end_strays() {
  local file
  while IFS= read -r file; do
    file=${file%/environ}
    kill -KILL "${file##*/}" 2>/dev/null || true
  done < <(grep -lzxF -- "ATLASIA_TRANSACTION=$folder" /proc/[0-9]*/environ 2>/dev/null)
}

# The journal says what is done, and so what is left to do.
engine() {
  probers=()
  if has commit; then
    finish
  elif has reverting; then
    revert
  elif has stopping || has exchanging || has starting || has running || has stays-stopped; then
    broken engine-died 'The engine was killed during the swap' || true
    revert
  elif has checked; then
    broken engine-died 'The engine was killed before the swap' || true
    refuse
  elif prepare; then
    if swap_all && pass_gates && drain_all && users_get_answers && still_exchanged && within_budget; then
      stop_probers
      tell_measurements
      journal commit
      # Whoever takes over goes back without this line, and could not once old containers are gone.
      if has commit; then finish; else revert; fi
    else
      revert
    fi
  else
    refuse
  fi
}

# prepare: everything that may fail without harm, before anything is stopped.
prepare() {
  local config state service id sharing shared
  alone || return
  # At the same time as compose reads its files. Where that fails, nobody reads this to its end, which is nothing to tell of.
  exec {sharing}< <(sharers && echo whole 2>/dev/null)
  config=$(cd -- "${plan[deploy_dir]}" && run_compose config --format json) ||
    broken docker-failed 'docker compose can no longer read the project' || return
  state=$(project_state "${plan[project]}" "$config") ||
    broken docker-failed 'Cannot read the state of the running containers' || return
  [[ $state == "${plan[project_state]}" ]] ||
    broken plan-stale "The containers, the compose file or its variables have changed since the plan was made" || return
  { note_containers && note_networks && note_witnesses; } || broken docker-failed 'Cannot read the state of the running containers' || return
  shared=$(cat <&"$sharing")
  exec {sharing}<&-
  [[ $shared == @(whole|*$'\n'whole) ]] || broken docker-failed 'Cannot read which containers share something with others' || return
  { still_stopped && writers_run && alone_in_them "${shared%whole}" && still_restored; } || return
  journal checked
  mend_leftovers || broken docker-failed 'Cannot remove a leftover of docker compose' || return
  note_addresses || broken docker-failed 'Cannot read the ports of the running containers' || return
  create_all || return
  { keeps_addresses && ports_are_free; } || return
  for service in "${services[@]}"; do
    for id in $(old_containers "$service"); do keep_evidence "$id" "$service.before.${id:0:12}"; done
  done
  start_probers
  journal prepared
  [[ ! -e abort ]] || broken cancelled 'Cancelled before anything was stopped' || return
}

# alone: whether no other transaction of this backup folder is unfinished.
alone() {
  local other others
  others=$(unfinished_transactions "${folder%/*}") ||
    broken unfinished 'Cannot read the journals of other transactions' || return
  while IFS= read -r other; do
    [[ -z $other || $other == "${folder##*/}" ]] || broken unfinished "An earlier transaction is unfinished: $other" || return
  done <<<"$others"
}

# refuse: the swap has not begun, so just remove the new containers, and see that everything still runs.
refuse() {
  local new
  stop_probers
  drop_files
  local good=yes
  start_stopped || good=
  new=$(new_containers) || return
  # shellcheck disable=SC2086 # ids are hex digits
  [[ -z $new ]] || steady rm --force $new || return
  drop_restored
  tell_restart
  if [[ -n $good ]]; then journal ended refused; else conclude failed; fi
}

revert() {
  # Of a restore there is nothing to leave before the databases have exchanged their names.
  if [[ ${plan[on_failure]} == leave ]] && ! has reverting && ! has_died && { ! restores || has exchanged; }; then
    stop_probers
    tell_measurements
    tell_restart
    keep_evidence_of_targets
    journal left
    conclude failed
    return
  fi
  has reverting || journal reverting
  await_docker || return
  ((${#probers[@]})) || resume_probers
  local good=yes
  stop_all
  put_database_back || good=
  restore_all || good=
  came_back && back_for_users || good=
  # The end of a downtime shows only in a request that comes after it.
  sleep "$look_interval"
  stop_probers
  tell_measurements
  tell_restart
  if [[ -n $good ]]; then
    drop_restored
    journal reverted
    conclude reverted
  else
    conclude failed
  fi
}

# has_died: whether an engine was killed in the swap, so that nobody knows whether the target works, or anything runs at all.
has_died() { grep -q $'^[0-9]*\tfailure\tengine-died ' journal; }

keep_evidence_of_targets() {
  local service id
  for service in "${services[@]}"; do
    for id in $(target_containers "$service"); do keep_evidence "$id" "$service.target.${id:0:12}"; done
  done
}

# back_for_users: whether whatever answered before the swap answers again, now that the previous release is running.
back_for_users() {
  users_get_answers || not_back 'The previous release is running again, but its users get no answer where they got one before'
}

# tell_restart: notes a restart of Docker in the journal. Then a failure does not count against the target.
tell_restart() { ! docker_was_restarted || journal docker-restarted; }

# finish: after the commit nothing is undone. Every step here is safe to repeat.
finish() {
  local service id old
  await_docker || return
  for service in "${services[@]}"; do
    [[ ${strategy[$service]} != restart ]] || continue
    [[ ${retag[$service]} == - ]] || has retagged "$service" || keep_reference "$service"
    mapfile -t old < <(old_containers "$service")
    for id in "${old[@]}"; do
      ! exists "$id" || steady rm --force "$id" || journal problem "Could not remove the old container ${id:0:12} of $service"
    done
  done
  tell_restart
  # One that somebody has started since is kept.
  for id in $(left_there aside); do ! exists "$id" || steady rm "$id" 2>/dev/null || true; done
  keep_running
  if [[ ${plan[hold]} == true ]]; then
    if put_hold "$rollback_dir" "$(filled outcome/hold)"; then
      journal held
    else
      journal problem 'Could not write HOLD: the next deployment may undo this rollback'
    fi
  fi
  conclude rolled-back
}

# keep_running: after a restart of Docker since the commit, starts the containers that have no restart policy. One that had
# already exited before the commit has completed its task.
keep_running() {
  local service id running finished committed
  committed=$(grep -m 1 $'\tcommit\t' journal | cut -f 1)
  for service in "${services[@]}"; do
    [[ ${strategy[$service]} != @(job|create-only) ]] || continue
    for id in $(target_containers "$service"); do
      IFS=$'\t' read -r running finished < <(look "$id" '{{.State.Running}}{{"\t"}}{{.State.FinishedAt}}')
      [[ $running != true ]] || continue
      finished=$(date --date "$finished" +%s%3N) && ((finished < committed)) && continue
      steady start "$id" || journal problem "The target of $service is no longer running and could not be started"
    done
  done
}

# keep_reference SERVICE: tags the target on this host with the name from the compose file, so that compose keeps using it.
keep_reference() {
  if steady tag "${target_image[$1]}" "${retag[$1]}"; then
    journal retagged "$1"
  else
    journal problem "Could not point ${retag[$1]} at the target: a manual docker compose up would undo this rollback"
  fi
}

# conclude STATUS: writes the result into the history, then into the journal.
conclude() {
  # If an earlier attempt died here after adding its record, add exactly the same again.
  if ! is_recorded "$rollback_dir/history.jsonl" "${plan[history_id]}" 2>/dev/null; then
    filled "outcome/$1.json" >recorded.json
    filled "outcome/$1.log" >recorded.log
  fi
  append_history "$rollback_dir" "${plan[history_id]}" "$(<recorded.json)" "$(<recorded.log)" ||
    journal problem 'Could not write the history on the host'
  journal ended "$1"
}

# filled FILE: prints the file, with the runner's placeholders replaced by what only the host knows.
filled() {
  local text token=${plan[token]} at began='' written step detail downtime=null gap asked lost='' verdict=unknown waits=''
  at=$(date --utc +%Y-%m-%dT%H:%M:%S.%3NZ)
  while IFS=$'\t' read -r written step detail; do
    case $step in
      begin) began=$written ;;
      measured)
        read -r _ gap _ asked <<<"$detail"
        [[ $asked != 0 ]] || lost=yes
        [[ $gap == - ]] || { [[ $downtime != null ]] && ((gap <= downtime)); } || downtime=$gap
        ;;
      failure) ! blames_target "${detail%% *}" || verdict=bad ;;
      docker-restarted) verdict=unknown ;;
      waits-for) waits=yes ;;
    esac
  done <journal
  [[ ${plan[blame]-} != none && -z $waits ]] || verdict=unknown
  [[ -z $lost ]] || downtime=null
  tell_time
  text=$(<"$1")
  text=${text//$token-at/$at}
  text=${text//$token-verdict/$verdict}
  text=${text//\"$token-duration\"/$((now - began))}
  text=${text//\"$token-downtime\"/$downtime}
  printf '%s' "$text"
}
