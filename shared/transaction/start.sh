# shellcheck shell=bash
# Creates a transaction's folder on the host, and starts its engine in a session of its own, which carries on without us.
#
# start BACKUP-DIR SECOND NAME CONTENT...: writes these files and starts; plan.tsv gets the transaction's id as its first line
# resume BACKUP-DIR ID: restarts a transaction that has lost its supervisor
# abort BACKUP-DIR ID: asks a transaction not to begin its swap
# find BACKUP-DIR HISTORY-ID: finds the transaction that was started by the run with this history record

main() {
  local verb=$1
  transactions=$2/rollback/transactions
  shift 2
  "$verb" "$@"
}

start() {
  local second=$1 id staging
  shift
  mkdir -p -- "$transactions" || disk_full
  # Remove what a run has left that was killed while it wrote.
  command find "$transactions" -mindepth 1 -maxdepth 1 -name '.partial-*' -mmin +60 -exec rm -rf -- {} +
  # The id is the second in which the run started, or the next free one if another run has taken that.
  for (( ; ; second++)); do
    id=$(date --utc --date "@$second" +%Y%m%d_%H%M%S)
    staging=$transactions/.partial-$id
    if mkdir -- "$staging" 2>/dev/null; then
      # Check again: another run with this id may have finished writing just before our mkdir.
      [[ -e $transactions/$id ]] || break
      rmdir -- "$staging"
    elif [[ ! -e $staging && ! -e $transactions/$id ]]; then
      disk_full
    fi
  done
  mkdir -- "$staging/outcome" || disk_full
  while (($#)); do
    [[ $1 != plan.tsv ]] || printf 'id\t%s\n' "$id" >"$staging/$1" || disk_full
    # Fill in the id: the label of the new containers names the transaction.
    printf '%s' "${2//@transaction@/$id}" >>"$staging/$1" || disk_full
    shift 2
  done
  sync -- "$staging"/* "$staging" || disk_full
  mv -T -- "$staging" "$transactions/$id"
  launch "$id"
}

disk_full() {
  [[ -z ${staging-} ]] || rm -rf -- "$staging"
  fail disk-full "$(df --output=avail,target -h -- "${transactions%/rollback/*}" | tail -n 1)"
}

resume() { launch "$1"; }

launch() {
  local folder=$transactions/$1 line session
  setsid "$BASH" "$folder/engine.sh" </dev/null >>"$folder/log" 2>&1 &
  # Wait until it has a session of its own: until then it would be killed together with us.
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
  shopt -s nullglob
  local plans=("$transactions"/[0-9]*/plan.tsv) at
  for ((at = 0; at < ${#plans[@]}; at += 500)); do
    while IFS= read -r plan; do
      record transaction "$(basename -- "${plan%/plan.tsv}")"
    done < <(grep -slxF -- "history_id"$'\t'"$1" "${plans[@]:at:500}")
  done
}
