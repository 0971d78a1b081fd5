# shellcheck shell=bash
# The part of the survey that only a check of the set-up needs.

# How many files to name that others can access; one command fixes them all.
readonly most_open=1000

# survey_setup BACKUP-DIR
survey_setup() {
  survey_open "$1"
  survey_sessions
  survey_docker_disk
  if [[ -r $1/.lock.holder && -z $(lock_owner "$1/.lock") ]]; then record left-holder "$(lock_holder "$1/.lock")"; fi
}

# Records files in the backup folder that others can access or own.
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
  done < <(command find "$1" ! -type l \( ! -user "$(id -un)" -o -perm /077 \) -printf '%y|%m|%u|%P\0' 2>/dev/null || true)
  record open-count "$count"
  # If find does not work at all, it prints nothing either.
  command find "$1" -maxdepth 0 -printf '' 2>/dev/null || record unseen "$1"
  # Folders that cannot be read cannot be judged.
  record unseen "$(command find "$1" -type d \( ! -readable -o ! -executable \) -print 2>/dev/null | head -n 5 || true)"
}

# Records the free space for a scratch database.
survey_docker_disk() {
  local place
  place=$(timeout 10 docker info --format '{{.DockerRootDir}}' 2>/dev/null) || return 0
  record docker-free "$(df --block-size=1 --output=avail -- "$place" 2>/dev/null | tail -n 1)"
}

# Records whether processes may go on after their session has ended: a rollback does.
survey_sessions() {
  local answer kills only excluded
  [[ -d /run/systemd/system ]] || return 0
  answer=$(timeout 5 busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \
    KillUserProcesses KillOnlyUsers KillExcludeUsers 2>/dev/null) || true
  { read -r _ kills && read -r _ _ only && read -r _ _ excluded; } <<<"$answer" || true
  if [[ $kills == false || " $excluded " == *" \"$(id -un)\" "* ]] ||
    [[ -n $only && " $only " != *" \"$(id -un)\" "* ]]; then
    record kills-sessions no
  elif [[ $kills == true ]]; then
    record kills-sessions yes
  else
    record kills-sessions unknown
  fi
}
