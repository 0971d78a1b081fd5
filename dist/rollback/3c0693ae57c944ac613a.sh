# shellcheck shell=bash
# Sent in front of the programs that write into the backup folder: how a set comes to be whole, and goes, at any moment
# of which the machine may stop.
#
# A tier's `.partial-<id>` says that the set is being put there: without a manifest beside it, it is not there yet.
# A `.partial-<id>.delete` says that it is being removed: what is left of it goes as well.

# prefix_in TIER: what the names of its sets begin with.
prefix_in() { if [[ ${1##*/} == rollback ]]; then printf prerollback; else printf backup; fi; }

# sweep BACKUP-DIR: ends what runs that were cut off have begun. Only under the lock.
sweep() {
  local marker tier id name
  for marker in "$1"/{daily,weekly,monthly,predeployment,rollback}/.partial-*; do
    [[ -e $marker ]] || continue
    tier=${marker%/*} id=${marker##*/.partial-}
    # What is only called alike is not ours.
    [[ $id =~ ^[0-9]{8}_[0-9]{6}(\.delete)?$ ]] || continue
    name=$(prefix_in "$tier")_${id%.delete}
    if [[ $id == *.delete || ! -e $tier/$name.manifest.json ]]; then
      rm -f -- "$tier/$name".* || continue
    fi
    rm -rf -- "$marker"
  done
}

# put SOURCE TIER ID: links a set into a tier, its manifest last.
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

# drop TIER ID...: removes sets from a tier. If it fails half-way, the markers of all of them may be left; the next sweep goes on
# with these.
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
