# shellcheck shell=bash
# Sent in front of the programs that write into the backup folder. Puts sets into tiers and removes them, such that the
# machine may stop at any moment.
#
# `.partial-<id>` in a tier: the set is being put there. As long as it has no manifest beside it, it does not count.
# `.partial-<id>.delete`: the set is being removed. Whatever is left of it must go as well.

# prefix_in TIER: how the names of its sets begin.
prefix_in() { if [[ ${1##*/} == rollback ]]; then printf prerollback; else printf backup; fi; }

# sweep BACKUP-DIR: cleans up after interrupted runs. Only under the lock.
sweep() {
  local marker tier id name
  for marker in "$1"/{daily,weekly,monthly,predeployment,rollback}/.partial-*; do
    [[ -e $marker ]] || continue
    tier=${marker%/*} id=${marker##*/.partial-}
    # A name that only looks similar is not ours.
    [[ $id =~ ^[0-9]{8}_[0-9]{6}(\.delete)?$ ]] || continue
    name=$(prefix_in "$tier")_${id%.delete}
    if [[ $id == *.delete || ! -e $tier/$name.manifest.json ]]; then
      rm -f -- "$tier/$name".* || continue
    fi
    rm -rf -- "$marker"
  done
}

# put SOURCE TIER ID: links a set into a tier, the manifest last.
put() {
  local marker=$2/.partial-$3 file
  mkdir -- "$marker" || return
  for file in "$1/backup_$3".*; do
    [[ $file == *.manifest.json ]] || ln -- "$file" "$2/" || return
  done
  ln -- "$1/backup_$3.manifest.json" "$2/" || return
  sync -- "$2" || return
  rmdir -- "$marker"
}

# drop TIER ID...: removes sets from a tier. If that fails half-way, the marker stays, and the next run finishes the job.
drop() {
  local tier=$1 prefix id marker markers=() files=()
  prefix=$(prefix_in "$1")
  shift
  for id in "$@"; do
    marker=$tier/.partial-$id.delete
    if [[ -d $tier/$id ]]; then
      mv -T -- "$tier/$id" "$marker" || return
    else
      files+=("$tier/${prefix}_$id".*)
    fi
    markers+=("$marker")
  done
  mkdir -p -- "${markers[@]}" || return
  rm -f -- "${files[@]}" || return
  rm -rf -- "${markers[@]}"
}
