# shellcheck shell=bash disable=SC2154 # `portion` and `layout` are those of sets.sh
# The part of the survey that examines the backup folders. They may contain anything, and the files of many years: so every
# step has a limit, and no program is started for a single file.

# How many foreign files to name; any others are only counted.
readonly most_others=1000
# Limits in bytes: for the part of a manifest before its lists of tables and sequences and the part after them, and for
# these parts of all manifests together.
readonly longest_head=16384 longest_tail=262144 most_heads=8388608 most_tails=25165824

# survey_sets BACKUP-DIR: a set is hard-linked into several folders, and may be damaged in one of them. So every path is
# recorded, but the text of a manifest only once for all of its names.
survey_sets() (
  record sets-state "$(sets_state "$1")"
  record folder-ids "$(folder_ids "$1" || echo damaged)"
  cd -- "$1" 2>/dev/null || exit 0
  survey_files
  survey_manifests
)

# survey_files: records every file of a set, and foreign files in these folders.
survey_files() {
  local id='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]_[0-9][0-9][0-9][0-9][0-9][0-9].*'
  local line folder prefix place set other elsewhere path found=() partial=() others=()
  shopt -s nullglob dotglob extglob
  for line in "${layout[@]}"; do
    read -r folder prefix place <<<"$line"
    # The patterns are in variables: bash could not parse them in the code before extglob is on.
    set=${prefix}_$id other="!(${prefix}_$id|.partial-*)" elsewhere+="|$folder"
    # shellcheck disable=SC2206 # the patterns are meant to expand
    if [[ $place == nested ]]; then
      local unfinished="!($set)"
      found+=($folder/*/$set)
      partial+=($folder/.partial-*/$unfinished)
      others+=($folder/$other/$other)
    else
      found+=($folder/$set)
      partial+=($folder/.partial-*)
      others+=($folder/$other)
    fi
  done
  tell_files "${found[@]}" "${partial[@]}"
  shopt -u dotglob
  # Files elsewhere are not sets. They are recorded so that nobody takes them for one.
  elsewhere="!(backup.log|postgres.log|postgres-+([0-9_]).log|postgres-drill-+([0-9a-f]).log$elsewhere)"
  # shellcheck disable=SC2206
  found=($elsewhere $elsewhere/*)
  shopt -u nullglob extglob
  for path in "${found[@]}"; do [[ ! -f $path ]] || others+=("$path"); done
  tell_files "${others[@]:0:most_others}"
  ((${#others[@]} <= most_others)) || record others-unnamed "$((${#others[@]} - most_others))"
}

# tell_files PATH...: records each with its size.
tell_files() {
  local at untold
  for ((at = 1; at <= $#; at += portion)); do
    # stat complains in one line, whatever the name.
    untold=$(stat --printf 'file\0%s %n\0' -- "${@:at:portion}" 2>&1 >&3 | wc -l || true)
    ((untold == 0)) || were_removed "$untold" "${@:at:portion}" ||
      record sets-error "$untold files could not be examined, in the part of the list that begins with ${*:at:1}"
  done 3>&1
}

# were_removed COUNT PATH...: succeeds if at least so many no longer exist.
were_removed() {
  local gone=-$1 path
  shift
  for path in "$@"; do [[ -e $path || -L $path ]] || gone=$((gone + 1)); done
  ((gone >= 0))
}

# survey_manifests: records the parts of each manifest before and after its long lists; the newest first, so that the oldest
# are left out if there are too many. Opens only regular files: others may never end.
survey_manifests() {
  local id='[0-9]{8}_[0-9]{6}' line folder prefix place stems='' links inode path
  local -A known=()
  local manifests=() patterns=()
  for line in "${layout[@]}"; do
    read -r folder prefix place <<<"$line"
    case $place in
      flat) stems+="|$folder/${prefix}_" patterns+=("$folder/${prefix}_*.manifest.json") ;;
      nested) stems+="|$folder/$id/${prefix}_" patterns+=("$folder/*/${prefix}_*.manifest.json") ;;
    esac
  done
  links=$(
    shopt -s nullglob
    # shellcheck disable=SC2206 # the patterns are meant to expand
    files=(${patterns[@]})
    for ((at = 0; at < ${#files[@]}; at += portion)); do
      stat --printf '%F|%d:%i|%n\n' -- "${files[@]:at:portion}" 2>/dev/null || true
    done |
      sed -nE "s#^regular( empty)? file\|([0-9:]+)\|(${stems#|})($id)\.manifest\.json\$#\4 \2 \3\4.manifest.json#p" |
      sort -r | cut -d ' ' -f 2-
  )
  [[ -n $links ]] || return 0
  while read -r inode path; do
    [[ -z ${known[$inode]-} ]] || continue
    known[$inode]=$path
    manifests+=("$path")
  done <<<"$links"
  record manifest-links "$links"
  record manifest-heads "$(of_each head "$longest_head" "${manifests[@]}" |
    sed '/^==> .* <==$/,/^  "tables": \[/!d' | head -c "$most_heads" || true)"
  record manifest-tails "$(of_each tail "$longest_tail" "${manifests[@]}" |
    sed -n '/^  "largeObjects": /,/^==> .* <==$/{p;d}; /^==> .* <==$/p' | head -c "$most_tails" || true)"
}

# of_each PROGRAM BYTES PATH...: prints the head or tail of each file, as text, after a header with its name.
of_each() {
  local program=$1 bytes=$2 at
  shift 2
  for ((at = 1; at <= $#; at += portion)); do
    "$program" -v -c "$bytes" -- "${@:at:portion}" 2>/dev/null || true
    # The last line may lack its line break.
    echo
  done | tr -d '\0'
}
