#!/bin/bash -p
# A gate for the SSH key of backup-action, rollback-action and verify-action: with it, the key runs the programs of a release
# that you have installed, on one project, and nothing else. In authorized_keys, on one line:
#
#   command="/usr/local/sbin/atlasia-gate /etc/atlasia/gate.conf",restrict ssh-ed25519 AAAA… backups
#
# The configuration has lines of a word and a value:
#
#   programs /etc/atlasia/programs.sha256    the list of a release; may come several times
#   actions backup verify                    whose programs may run
#   deploy-dir /opt/atlasia                  the inputs of the workflow; each may come several times
#   backup-dir /opt/atlasia/backups
#   log-file /var/log/atlasia.log            only if the workflow sets `log-file` to a place outside of backup-dir
#
# This script, both files, the folders above them and authorized_keys must belong to root, and nobody else may write to them.
# https://github.com/atlasia/actions/blob/v1/docs/security.md#a-gate-on-the-host says what this does not prevent.

set +p
LC_ALL=C

# refuse REASON
refuse() {
  printf 'atlasia-gate: %s\n' "$1" >&2
  logger -t atlasia-gate -p auth.warning -- "refused for $(id -un): ${1:0:500}" 2>/dev/null || true
  exit 126
}

# Which parameters are code, and must be listed as programs are.
readonly code_parameters=' inside_script facts_before facts_tables facts_after '
# Texts for people, which may begin with anything, and paths in the database's container.
readonly free_parameters=' holder reason log_line troubled_line line statements server_host password_from '
# Names for Docker, which would take one that begins with a dash for an option.
readonly name_parameters=' container image project service keeper images pulls kept released references '

read_configuration() {
  local word value
  list_files=() action_names=' ' deploy_dirs=() backup_dirs=() log_files=()
  [[ -f $1 && -r $1 ]] || refuse "its configuration ${1:-, the first argument,} cannot be read"
  while read -r word value || [[ -n $word ]]; do
    case $word in
      '' | '#'*) ;;
      programs) list_files+=("$value") ;;
      actions) action_names+="$value " ;;
      deploy-dir) deploy_dirs+=("${value%/}") ;;
      backup-dir) backup_dirs+=("${value%/}") ;;
      log-file) log_files+=("$value") ;;
      *) refuse "its configuration $1 has an unknown word: $word" ;;
    esac
  done <"$1"
  { ((${#list_files[@]} && ${#deploy_dirs[@]} && ${#backup_dirs[@]})) && [[ $action_names != ' ' ]]; } ||
    refuse "its configuration $1 needs programs, actions, deploy-dir and backup-dir"
}

# is_listed KIND HASH: whether a list has it, for an action that may run here.
is_listed() {
  local file hash kind actions action
  for file in "${list_files[@]}"; do
    [[ -f $file && -r $file ]] || refuse "the list $file cannot be read"
    while read -r hash kind _ actions; do
      [[ $hash == "$2" && $kind == "$1" ]] || continue
      for action in ${actions//,/ }; do [[ $action_names != *" $action "* ]] || return 0; done
    done <"$file"
  done
  return 1
}

hash_of() {
  local hash
  read -r hash _ < <(printf %s "$1" | sha256sum)
  printf %s "$hash"
}

# is_one_of VALUE WORD…
is_one_of() {
  local word
  for word in "${@:2}"; do [[ $1 != "$word" ]] || return 0; done
  return 1
}

# is_place NAME PATH: whether a parameter may have this path.
is_place() {
  local folder
  case $1 in
    deploy_dir) is_one_of "$2" "${deploy_dirs[@]}" && return ;;
    backup_dir) is_one_of "$2" "${backup_dirs[@]}" && return ;;
    # Only the pipe that another program has made for its bytes.
    incoming | folder) [[ $2 =~ ^/tmp/atlasia-incoming-[0-9a-f]{32}$ ]] && return ;;
    log_file) is_one_of "$2" "${log_files[@]}" && return ;;&
    # These are read.
    compose_files | env_file | files | env_files | directory)
      for folder in "${deploy_dirs[@]}"; do [[ $2 != "$folder"/* && $2 != "$folder" ]] || return 0; done
      ;;&
    *)
      # What runs as an engine is never written to by its path.
      [[ $2 != */rollback/transactions/* ]] || return 1
      for folder in "${backup_dirs[@]}"; do [[ $2 != "$folder"/* ]] || return 0; done
      ;;
  esac
  return 1
}

# check_parameter NAME VALUE
check_parameter() {
  [[ $1 =~ ^[a-z][a-z0-9_]{0,63}$ ]] || refuse 'a parameter has a name that no program takes'
  [[ $free_parameters != *" $1 "* ]] || return 0
  if [[ $code_parameters == *" $1 "* ]]; then
    is_listed text "$(hash_of "$2")" || refuse "the code in $1 is not on its list"
  elif [[ ( $2 == /* || $2 != *$'\n'* ) && /$2/ == */../* ]]; then
    refuse "$1 is ${2:0:200}, which leads out of its folder"
  elif [[ $2 == /* ]]; then
    is_place "$1" "$2" || refuse "$1 is ${2:0:200}, a place that its configuration does not name"
  elif [[ $2 == -* && $name_parameters == *" $1 "* ]]; then
    refuse "$1 is ${2:0:200}, which is no name"
  # Of a drill's container, which is removed at its end, or of a set.
  elif [[ $1 == name && ! $2 =~ ^(atlasia-drill-[A-Za-z0-9_-]{1,64}|[a-z]+_[0-9]{8}_[0-9]{6})$ ]]; then
    refuse "name is ${2:0:200}, which is neither a drill's nor a backup's"
  fi
}

case ${SSH_ORIGINAL_COMMAND-} in
  'exec env -u BASH_ENV bash --noprofile --norc -c '*) ;;
  '') refuse 'this key runs the programs of backup-action, rollback-action and verify-action, and gives no shell' ;;
  *) refuse "this key runs the programs of backup-action, rollback-action and verify-action, and not: ${SSH_ORIGINAL_COMMAND:0:200}" ;;
esac
read_configuration "${1-}"

# From here on as in the command that the runner asks for: see connection.ts.
{ IFS= read -r n && [[ $n =~ ^[1-9][0-9]{0,6}$ ]]; } || refuse 'what came is no program'
IFS= read -r -N "$n" s || refuse 'the program was cut off'
n=$(hash_of "$s")
is_listed program "$n" || refuse "the program that came (SHA-256 $n) is not on its list, for these actions: $action_names"
{ IFS= read -r c && [[ $c =~ ^(0|[1-9][0-9]{0,5})$ ]] && ((c % 2 == 0)); } || refuse 'what came is no program'
p=()
while ((c-- > 0)); do
  IFS= read -r -d '' v || exit 1
  p+=("$v")
done
for ((c = 0; c < ${#p[@]}; c += 2)); do check_parameter "${p[c]}" "${p[c + 1]}"; done

# For launch.sh, which starts an engine from a file: only if it is on a list.
ATLASIA_GATE=$(printf '%s\n' "${list_files[@]}")
export ATLASIA_GATE
unset -v n c v list_files action_names deploy_dirs backup_dirs log_files
unset -f refuse read_configuration is_listed hash_of is_one_of is_place check_parameter
eval "$s"
