# shellcheck shell=bash disable=SC2034 # the tables are for the other parts of the engine
# The transaction's plan and its journal. The journal tells whoever takes over what is left to do.

# tell_time: milliseconds since 1970, into `now`.
tell_time() {
  if [[ -n ${EPOCHREALTIME-} ]]; then
    now=${EPOCHREALTIME%.*}${EPOCHREALTIME: -6:3}
  else
    now=$(date +%s%3N)
  fi
}

# journal STEP [DETAIL]: adds a line, flushed to disk before the next step begins. If the disk is full, frees the reserve.
journal() {
  local detail=${2-}
  tell_time
  detail=${detail//[$'\t\n\r']/ }
  write_journal "$1" "${detail:0:1000}" 2>/dev/null || { rm -f -- reserve && write_journal "$1" "${detail:0:1000}"; }
}

# If a power failure or a full disk has left part of a line, ends it first, so that it stays a line of its own. Each process
# checks once, and again after a failed write.
write_journal() {
  local last
  if [[ -z ${journal_is_whole-} && -s journal ]]; then
    last=$(tail -c 1 -- journal | od -An -tx1) || return
    [[ $last == *0a ]] || printf '\n' >>journal || return
  fi
  journal_is_whole=
  printf '%s\t%s\t%s\n' "$now" "$1" "$2" >>journal && sync -- journal && journal_is_whole=yes
}

# settle NEW FILE: gives a file its name once all of it is on the disk, and sees that the name is there too: whoever takes over after a
# power cut goes by the journal, and by these.
settle() { sync -- "$1" && mv -T -- "$1" "$2" && sync -- .; }

# has STEP [DETAIL]: whether the journal contains it. An incomplete last line does not count.
has() {
  local step detail
  [[ -e journal ]] || return 1
  while IFS=$'\t' read -r _ step detail; do
    [[ $step != "$1" || ($# -gt 1 && $detail != "$2") ]] || return 0
  done <journal
  return 1
}

# broken CODE TEXT: notes why the transaction cannot continue, and fails. Only the first reason counts.
broken() {
  has failure || journal failure "$1 $2"
  return 1
}

# Reads plan.tsv into `plan`, `call` (how compose is called), and the tables of services, which are in the order of the swap.
read_plan() {
  local key value name
  declare -gA plan=() strategy=() target_image=() retag=() fixed_name=() looked_up_once=()
  declare -ga services=() call=() proxies=()
  while IFS=$'\t' read -r key value; do
    case $key in
      service)
        # A dash means: none.
        IFS=$'\t' read -r name value <<<"$value"
        services+=("$name")
        IFS=$'\t' read -r "strategy[$name]" "target_image[$name]" "retag[$name]" "fixed_name[$name]" <<<"$value"
        ;;
      compose) call+=("$value") ;;
      proxy) proxies+=("$value") ;;
      # By service: the proxies that look it up only when they start.
      looked_up_once)
        IFS=$'\t' read -r name value <<<"$value"
        looked_up_once[$name]+=" $value"
        ;;
      *) plan[$key]=$value ;;
    esac
  done <plan.tsv
}
