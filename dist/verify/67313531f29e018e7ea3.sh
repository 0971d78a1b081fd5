# shellcheck shell=bash
# Keeps the compose files of a release that was found good, beside the history: what is needed to go back to its settings too.
# They contain secrets, and so are for their owner alone, like everything in the backup folder.

takes backup_dir id config
# The compose files, and the env files that exist; absolute.
takes_list files env_files

# How many of the configurations that were used last are kept.
readonly most_kept=20

main() {
  local kept=$backup_dir/rollback/compose staging at=0 file old=()
  umask 077
  mkdir -p -- "$kept" || fail write-failed "Cannot create $kept"
  if [[ -d $kept/$id ]]; then
    touch -- "$kept/$id"
  else
    staging=$kept/.partial-$id
    rm -rf -- "$staging"
    mkdir -- "$staging" "$staging/files" || fail write-failed "Cannot create $staging"
    printf '%s' "$config" >"$staging/config.json" || fail write-failed "Cannot write to $staging"
    printf '%s\n' "${files[@]}" >"$staging/files.txt" || fail write-failed "Cannot write to $staging"
    for file in "${files[@]}" "${env_files[@]}"; do
      at=$((at + 1))
      # Most projects have no env file, or none that compose reads.
      [[ -e $file || $at -le ${#files[@]} ]] || continue
      cp -- "$file" "$staging/files/$at-${file##*/}" || fail write-failed "Cannot copy $file to $kept"
    done
    sync -- "$staging"/config.json "$staging"/files.txt "$staging"/files/*
    mv -T -- "$staging" "$kept/$id"
  fi
  mapfile -t old < <(cd -- "$kept" && find . -mindepth 1 -maxdepth 1 -type d -name '[0-9a-f]*' -printf '%T@ %f\n' |
    sort -rn | tail -n "+$((most_kept + 1))" | cut -d ' ' -f 2)
  for file in "${old[@]}"; do rm -rf -- "${kept:?}/$file"; done
  record kept "$kept/$id"
}
