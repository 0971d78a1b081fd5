# shellcheck shell=bash disable=SC2154,SC2034 # the tables are those of read_plan
# Carries one rollback, in its folder on the host, without the runner: it ends with the target running and proven, or with
# what ran before. This file stands in the transaction's folder; `bash engine.sh` there ends whatever was begun.

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
# How often the engine may die before the supervisor gives up; the next run of any action tries again.
readonly most_lives=4

main() {
  read_plan
  compose_command "${plan[project]}" "${plan[env_file]-}" "${compose_files[@]}"
  case ${1-} in
    engine) engine ;;
    ask-url) url_answers ;;
    *) supervise ;;
  esac
}

# Holds the lock, and starts the engine again where it dies. The engine's children do not hold the lock.
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

# await_carrier: whoever carries it already is left to it.
await_carrier() {
  local waited=0
  while is_carried; do
    ((waited)) || printf 'The process %s carries it already, and is waited for\n' "$(<carrier)" >&2
    ((waited < plan[lock_wait])) || return
    sleep 1
    waited=$((waited + 1))
  done
}

# is_carried: whether another supervisor of this transaction lives.
is_carried() {
  local process
  [[ -s carrier ]] && process=$(<carrier) && [[ $process != "$$" ]] &&
    grep -qF -- engine.sh "/proc/$process/cmdline" 2>/dev/null
}

lay_down() { [[ $(cat carrier 2>/dev/null) != "$$" ]] || rm -f -- carrier; }

await_lock() {
  local waited=0 problem=
  until flock --nonblock 9; do
    if [[ -e abort ]]; then
      problem='cancelled It was cancelled while it waited for the lock'
      break
    elif ((waited >= plan[lock_wait])); then
      problem="lock-held $(lock_holder "$lock")"
      break
    fi
    ((waited % 15)) || journal waiting "$(lock_holder "$lock")"
    sleep 1
    waited=$((waited + 1))
  done
  # A lock file that was deleted meanwhile guards nothing.
  [[ -n $problem || /proc/self/fd/9 -ef $lock ]] || problem="lock-lost $lock was replaced while it was waited for"
  [[ -n $problem ]] || return 0
  # One that was begun stays as it is: whoever has the lock ends it.
  has begin || { broken "${problem%% *}" "${problem#* }" || journal ended refused; }
  lay_down
  return 1
}

# end_strays: ends what of this transaction is still at work without its engine: compose, or a question to a service. They are
# known by the transaction's folder, since another project of this host may have a transaction of the same second.
end_strays() {
  local file
  while IFS= read -r file; do
    file=${file%/environ}
    kill -KILL "${file##*/}" 2>/dev/null || true
  done < <(grep -lzxF -- "ATLASIA_TRANSACTION=$folder" /proc/[0-9]*/environ 2>/dev/null)
}

# What the journal says is done decides what is to do.
engine() {
  probers=()
  if has commit; then
    finish
  elif has reverting; then
    revert
  elif has stopping || has starting; then
    broken engine-died 'The engine was killed while it was at work' || true
    revert
  elif has checked; then
    broken engine-died 'The engine was killed before the swap' || true
    refuse
  elif prepare; then
    if swap_all && pass_gates && drain_all && within_budget; then
      stop_probers
      tell_measurements
      journal commit
      finish
    else
      revert
    fi
  else
    refuse
  fi
}

# prepare: everything that can fail without harm.
prepare() {
  local config state service id
  alone || return
  config=$(cd -- "${plan[deploy_dir]}" && run_compose config --format json) &&
    state=$(project_state "${plan[project]}" "$config") ||
    broken docker-failed 'What runs could not be looked at' || return
  [[ $state == "${plan[project_state]}" ]] ||
    broken plan-stale 'What runs, or the compose file with its variables, has changed since the plan was made' || return
  { note_containers && note_witnesses; } || broken docker-failed 'What runs could not be looked at' || return
  journal checked
  mend_leftovers || broken docker-failed 'What compose left behind could not be mended' || return
  create_all || return
  for service in "${services[@]}"; do
    for id in $(old_containers "$service"); do keep_evidence "$id" "$service.before.${id:0:12}"; done
  done
  start_probers
  journal prepared
  [[ ! -e abort ]] || broken cancelled 'It was cancelled before anything was stopped' || return
}

# alone: no other transaction of this folder is half-way.
alone() {
  local other others
  others=$(unfinished_transactions "${folder%/*}") ||
    broken docker-failed 'The other transactions could not be looked at' || return
  while IFS= read -r other; do
    [[ -z $other || $other == "${folder##*/}" ]] || broken unfinished "The transaction $other was not ended" || return
  done <<<"$others"
}

# refuse: nothing had been stopped; what was made goes.
refuse() {
  local new
  stop_probers
  new=$(new_containers) || return
  # shellcheck disable=SC2086 # ids are hex digits
  [[ -z $new ]] || steady rm --force $new || return
  tell_restart
  journal ended refused
}

revert() {
  if [[ ${plan[on_failure]} == leave ]] && ! has reverting && ! has failure engine-died; then
    stop_probers
    tell_measurements
    tell_restart
    journal left
    conclude failed
    return
  fi
  has reverting || journal reverting
  await_docker || return
  ((${#probers[@]})) || resume_probers
  local good=yes
  restore_all || good=
  came_back || good=
  # The end of a gap is seen only by a question that comes after it.
  sleep "$look_interval"
  stop_probers
  tell_measurements
  tell_restart
  if [[ -n $good ]]; then
    journal reverted
    conclude reverted
  else
    conclude failed
  fi
}

# tell_restart: where Docker was restarted, nothing is said against the target.
tell_restart() { ! docker_was_restarted || journal docker-restarted; }

# finish: after the commit nothing is taken back. All of it may be done again.
finish() {
  local service id old
  await_docker || return
  for service in "${services[@]}"; do
    [[ ${retag[$service]} == - ]] || has retagged "$service" || keep_reference "$service"
    mapfile -t old < <(old_containers "$service")
    for id in "${old[@]}"; do
      ! exists "$id" || steady rm --force "$id" || journal problem "The old container ${id:0:12} of $service could not be removed"
    done
  done
  tell_restart
  keep_running
  if [[ ${plan[hold]} == true ]]; then
    if put_hold "$rollback_dir" "$(filled outcome/hold)"; then
      journal held
    else
      journal problem 'HOLD could not be written: the next deployment may undo this rollback'
    fi
  fi
  conclude rolled-back
}

# keep_running: a Docker that was restarted since the commit brings back only what has a restart policy. What had ended before
# it has done its work.
keep_running() {
  local service id running finished committed
  committed=$(grep -m 1 $'\tcommit\t' journal | cut -f 1)
  for service in "${services[@]}"; do
    for id in $(target_containers "$service"); do
      IFS=$'\t' read -r running finished < <(look "$id" '{{.State.Running}}{{"\t"}}{{.State.FinishedAt}}')
      [[ $running != true ]] || continue
      finished=$(date --date "$finished" +%s%3N) && ((finished < committed)) && continue
      steady start "$id" || journal problem "The target of $service does not run any more, and could not be started"
    done
  done
}

# keep_reference SERVICE: what the compose file names is the target from now on, on this host.
keep_reference() {
  if steady tag "${target_image[$1]}" "${retag[$1]}"; then
    journal retagged "$1"
  else
    journal problem "${retag[$1]} could not be pointed at the target: docker compose up by hand would undo this rollback"
  fi
}

# conclude STATUS: into the history, then into the journal.
conclude() {
  # One that was stopped here before adds nothing else than it did then.
  if ! is_recorded "$rollback_dir/history.jsonl" "${plan[history_id]}" 2>/dev/null; then
    filled "outcome/$1.json" >recorded.json
    filled "outcome/$1.log" >recorded.log
  fi
  append_history "$rollback_dir" "${plan[history_id]}" "$(<recorded.json)" "$(<recorded.log)" ||
    journal problem 'The history on the host could not be written'
  journal ended "$1"
}

# filled FILE: with what only the host knows in place of the marks that the runner left for it.
filled() {
  local text token=${plan[token]} at began='' written step detail downtime=null gap asked lost='' verdict=unknown
  at=$(date --utc +%Y-%m-%dT%H:%M:%S.%3NZ)
  while IFS=$'\t' read -r written step detail; do
    case $step in
      begin) began=$written ;;
      measured)
        read -r _ gap _ asked <<<"$detail"
        [[ $asked != 0 ]] || lost=yes
        [[ $gap == - ]] || { [[ $downtime != null ]] && ((gap <= downtime)); } || downtime=$gap
        ;;
      failure) [[ ! $detail =~ ^(unhealthy|crashed|health-url)\  ]] || verdict=bad ;;
      docker-restarted) verdict=unknown ;;
    esac
  done <journal
  [[ -z $lost ]] || downtime=null
  tell_time
  text=$(<"$1")
  text=${text//$token-at/$at}
  text=${text//$token-verdict/$verdict}
  text=${text//\"$token-duration\"/$((moment - began))}
  text=${text//\"$token-downtime\"/$downtime}
  printf '%s' "$text"
}
