# shellcheck shell=sh
# Follows drill-inside.sh or inside.sh, whose `buffered` it uses: how a dump is restored, in a scratch container or beside the
# database that it replaces, and how the disks are watched meanwhile.

# room PATH...: free bytes on the disk of each path; of several, where there are the fewest.
room() {
  fewest=''
  for path in "$@"; do
    free=$(df -P -k "$path" | { read -r _ && read -r _ _ _ free _ && echo "$((free * 1024))"; }) || return
    [ -n "$fewest" ] && [ "$fewest" -le "$free" ] || fewest=$free
  done
  echo "$fewest"
}

# few_files NUMBER PATH...: succeeds if fewer files can still be created on one of the disks (on a file system that limits them).
few_files() {
  fewest=$1
  shift
  for path in "$@"; do
    df -P -i "$path" 2>/dev/null |
      { read -r _ && read -r _ all _ free _ && [ "$all" -gt 0 ] 2>/dev/null && [ "$free" -lt "$fewest" ]; } && return
  done
  return 1
}

# room_below BYTES PATH...: prints how many bytes are free; waits until that is less, or hardly any file can be created; then prints
# it again. Nothing else ends it except the end of the container.
room_below() {
  least=$1
  shift
  room "$@" || return
  while free=$(room "$@") && [ "$free" -ge "$least" ] && ! few_files 10000 "$@"; do sleep 0.2 2>/dev/null || sleep 1; done
  printf '%s\n' "$free"
}

# fill FORMAT COMPRESSION ARGUMENT JOBS ROLE: restores the dump on stdin; so many sessions may build indexes at a time. ROLE and the
# exit are those of `restore`.
fill() {
  jobs=$4
  if [ "$1" = custom ] && [ "$jobs" -gt 1 ]; then restore sections "$2" "$3" "${5:-}"; else restore "$1" "$2" "$3" "${5:-}"; fi
}

# restore FORMAT COMPRESSION ARGUMENT ROLE: restores the dump on stdin into a database; ARGUMENT is its name for --dbname. Objects
# of extensions belong to whoever restores, so the first superuser does. Exit 41: it cannot be restored; 42: it cannot be
# decompressed; 43: a plain dump does not end with pg_dump's last line; 137: something was killed.
restore() {
  argument=$3 PGUSER=${4:-$PGUSER}
  case $1-$2 in
    *-zstd) unpack='zstd -q -d -c' ;;
    plain-gzip) unpack='gzip -d -c' ;;
    *) unpack='cat' ;;
  esac
  # Collects the exit code of each stage, since sh has no PIPESTATUS. After an error the rest of the input is still read.
  exits=$({ { $unpack; echo "unpack $?" >&3; } | { "load_$1" >&2; echo "load $?" >&3; cat >/dev/null; }; } 3>&1)
  case $exits in *' 137'*) exit 137 ;; esac
  case $exits in *'unpack 0'*) ;; *) exit 42 ;; esac
  case $exits in *'load 0'*) ;; *) exit 41 ;; esac
  case $exits in *'whole 1'*) exit 43 ;; esac
}

# Without tablespaces: they are folders of another machine.
load_custom() { buffered pg_restore --exit-on-error --no-tablespaces --dbname="$argument"; }

# The rows come in one stream. What is then built from them, indexes and constraints, needs only the archive's list of contents, and
# can be built by several sessions at a time. It ends within the first 64 MiB of any archive: half a million objects take as much.
# Last comes what pg_restore itself keeps for the end, in one session and in the archive's order, as with the printed commands:
# - grants: the owner of a table, as whom its indexes are built, may have lost the right to a function that they call;
# - event triggers, which may forbid the rest, or the login of a further session;
# - materialized views: one may read another in a function, which PostgreSQL does not see.
load_sections() {
  contents=$(mktemp -d) || return
  trap 'rm -rf "$contents"' EXIT
  # Not `head`, which may read on in some images.
  dd bs=1048576 count=64 iflag=fullblock >"$contents/head" 2>/dev/null || return
  pg_restore --list "$contents/head" >"$contents/list" || return
  kept_for_the_end='^[0-9]+; [0-9]+ [0-9]+ ((DEFAULT )?ACL|EVENT TRIGGER|(COMMENT|SECURITY LABEL) - EVENT TRIGGER|MATERIALIZED VIEW DATA) '
  grep -E "$kept_for_the_end" "$contents/list" >"$contents/last" || true
  grep -E -v "$kept_for_the_end" "$contents/list" >"$contents/first" || return
  { cat "$contents/head" && cat; } | restore_listed first --section=pre-data --section=data || return
  restore_listed first --section=post-data --jobs="$jobs" "$contents/head" || return
  [ ! -s "$contents/last" ] || restore_listed last --jobs=1 "$contents/head"
}

# restore_listed LIST ARGUMENT...
restore_listed() {
  list=$1
  shift
  buffered pg_restore --use-list="$contents/$list" --exit-on-error --no-tablespaces --dbname="$argument" "$@"
}

# psql cannot tell truncated input from complete input.
load_plain() {
  { whole || echo 'whole 1' >&3; } | buffered psql -XAtq -v ON_ERROR_STOP=1 --output=/dev/null --dbname="$argument"
}

# Copies a plain dump; fails if it does not end with pg_dump's last line. Its head, in which no data can stand, would let the server
# speak of more than errors.
whole() {
  awk 'NR < 40 && $0 == "SET client_min_messages = warning;" { print "SET client_min_messages = error;"; next }
    { print } $0 == "-- PostgreSQL database dump complete" { complete = 1; next }
    NF && $0 != "--" && !/^\\unrestrict / { complete = 0 }
    END { exit !complete }'
}
