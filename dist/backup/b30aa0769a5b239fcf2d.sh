# shellcheck shell=bash
# What only somebody who checks the set-up asks of the host.

# So many files that others can reach are named; they are mended all at once.
readonly most_open=1000

# survey_setup BACKUP-DIR
survey_setup() {
  survey_open "$1"
  survey_sessions
  if [[ -r $1/.lock.holder && -z $(lock_owner "$1/.lock") ]]; then record left-holder "$(lock_holder "$1/.lock")"; fi
}

# What stands in the backup folder and is not ours alone.
survey_open() {
  local found count=0
  if [[ ! -d $1 ]]; then
    record open-count 0
    record unseen ''
    return 0
  fi
  while IFS= read -r -d '' found; do
    count=$((count + 1))
    ((count > most_open)) || record open "$found"
  done < <(find "$1" ! -type l \( ! -user "$(id -un)" -o -perm /077 \) -printf '%y|%m|%u|%P\0' 2>/dev/null || true)
  record open-count "$count"
  # What cannot be looked into cannot be judged.
  record unseen "$(find "$1" -type d \( ! -readable -o ! -executable \) -print 2>/dev/null | head -n 5 || true)"
}

# Whether what a session has started may go on when it ends: a rollback does.
survey_sessions() {
  local answer=
  [[ -d /run/systemd/system ]] || return 0
  answer=$(timeout 5 busctl get-property org.freedesktop.login1 /org/freedesktop/login1 \
    org.freedesktop.login1.Manager KillUserProcesses 2>/dev/null) || true
  case $answer in
    'b true') record kills-sessions yes ;;
    'b false') record kills-sessions no ;;
    *) record kills-sessions unknown ;;
  esac
  [[ ! -e /var/lib/systemd/linger/$(id -un) ]] || record lingers yes
}
