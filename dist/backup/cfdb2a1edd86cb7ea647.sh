# shellcheck shell=bash
# Sent in front of the programs that write into the backup folder. Puts sets into tiers and removes them, such that the
# machine may stop at any moment.
#
# `.partial-<id>` in a tier: the set is being put there. As long as it has no manifest beside it, it does not count.
# `.partial-<id>.delete`: the set is being removed. Whatever is left of it must go as well.

# sweep BACKUP-DIR: cleans up after interrupted runs. Only under the lock.
sweep() {
  local tier marker
  for tier in $(folders_at flat nested); do
    tier=$1/$tier
    for marker in "$tier"/.partial-*; do
      [[ ! -e $marker ]] || sweep_marker "$tier" "$marker"
    done
  done
}

# sweep_marker TIER MARKER
sweep_marker() {
  local tier=$1 marker=$2 id=${2##*/.partial-} name
  # A name that only looks similar is not ours.
  [[ $id =~ ^[0-9]{8}_[0-9]{6}(\.delete)?$ ]] || return 0
  name=$(prefix_in "$tier")_${id%.delete}
  if [[ $id == *.delete || ! -e $tier/$name.manifest.json ]]; then
    rm -f -- "$tier/$name".* || return 0
  fi
  rm -rf -- "$marker"
}

# put SOURCE TIER NAME ID: links a set into a tier, its manifest last, once the other links are on the disk. If each set has a folder
# of its own, the folder appears in one step.
put() {
  local marker=$2/.partial-$4 file
  mkdir -- "$marker" || return
  if is_nested "$2"; then
    ln -- "$1/$3".* "$marker/" && sync -- "$marker" && mv -T -- "$marker" "$2/$4" && sync -- "$2"
    return
  fi
  for file in "$1/$3".*; do
    [[ $file == *.manifest.json ]] || ln -- "$file" "$2/" || return
  done
  sync -- "$2" || return
  ln -- "$1/$3.manifest.json" "$2/" || return
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
