# shellcheck shell=bash
# Puts a transaction's folder on the host, and starts its engine in a session of its own, which goes on without us.
#
# start BACKUP-DIR SECOND NAME CONTENT...: the files, by name; one named plan.tsv gets the transaction's id in front
# resume BACKUP-DIR ID: one that was begun and has lost its supervisor
# abort BACKUP-DIR ID: it is not to begin its swap
# find BACKUP-DIR HISTORY-ID: whether one was put here by the run that adds this record

main() {
  local verb=$1
  transactions=$2/rollback/transactions
  shift 2
  "$verb" "$@"
}

start() {
  local second=$1 id staging
  shift
  mkdir -p -- "$transactions"
  # The second in which the run started; where that is taken, the next free one.
  until id=$(date --utc --date "@$second" +%Y%m%d_%H%M%S) && [[ ! -e $transactions/$id ]]; do second=$((second + 1)); done
  staging=$transactions/.partial-$id
  mkdir -- "$staging"
  mkdir -- "$staging/outcome"
  while (($#)); do
    [[ $1 != plan.tsv ]] || printf 'id\t%s\n' "$id" >"$staging/$1"
    # The label of the new containers names the transaction.
    printf '%s' "${2//@transaction@/$id}" >>"$staging/$1"
    shift 2
  done
  sync -- "$staging"/* "$staging"
  mv -T -- "$staging" "$transactions/$id"
  launch "$id"
}

resume() { launch "$1"; }

launch() {
  local folder=$transactions/$1 line session
  setsid "$BASH" "$folder/engine.sh" </dev/null >>"$folder/log" 2>&1 &
  # Until it has a session of its own, it would be ended with us.
  while { IFS= read -r line <"/proc/$!/stat"; } 2>/dev/null; do
    read -r _ _ _ session _ <<<"${line##*) }"
    [[ $session != "$!" ]] || break
    sleep 0.01
  done
  record transaction "$1"
}

abort() { : >"$transactions/$1/abort"; }

find() {
  local plan
  for plan in "$transactions"/[0-9]*/plan.tsv; do
    ! grep -qxF -- "history_id"$'\t'"$1" "$plan" 2>/dev/null || record transaction "$(basename -- "${plan%/plan.tsv}")"
  done
}
