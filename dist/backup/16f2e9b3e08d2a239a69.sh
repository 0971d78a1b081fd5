# shellcheck shell=bash
# Records the files to which the actions write: others may have put something there while the folder was open to them.

# survey_places BACKUP-DIR
survey_places() {
  local place open
  open=$(open_parent "$1")
  [[ -z $open ]] || record open-parent "$open"
  for place in "$1"/.lock{,.turn,.offsite,.created}{,.holder} "$1"/.lock.publish \
    "$1"/rollback/{history.jsonl,deployment_tags.log,HOLD,transactions}; do
    [[ ! -e $place && ! -L $place ]] || record place "$(stat --format %F -- "$place")|$place"
  done
}
