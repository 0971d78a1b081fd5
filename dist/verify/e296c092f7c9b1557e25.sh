# shellcheck shell=bash
# shellcheck disable=SC2154 # drill.sh opens restored_text and schema_text, the files for the two schemas; the limit is stable-schema.sh's
# Compares the schema of the restored database with that of the source. PostgreSQL gives no textual round trip: it prints a check
# that says `a IN ('x', 'y')` in one way before a restore and in another after it. So where the hash differs from the source's,
# the set's own schema file is restored as well and dumped in the same way: both are then one restore away from the source.

# The schema file and the hash of the source's schema, empty if the backup could not take them; the time zone of the sessions that
# took the backup, in which pg_dump writes some constants.
takes schema schema_sha256 timezone

# dump_schema FILE-DESCRIPTOR: applies the settings on stdin, if there are any, and dumps the schema of the database into the file,
# without the lines that differ from run to run. Prints the hash of that; or how it failed, as `tell` does.
dump_schema() {
  local text=/proc/self/fd/$1 statuses=(0 0 0) sum
  PGTZ=$timezone look schema | limited "$most_schema" | stable >"$text" || statuses=("${PIPESTATUS[@]}")
  if ((statuses[1])); then
    silence_all || true
    printf 'cut %s' "$most_schema"
  elif ((statuses[0] || statuses[2])); then
    printf 'exit %s' "$((statuses[0] ? statuses[0] : statuses[2]))"
  else
    sum=$(sha256sum <"$text")
    printf %s "${sum%% *}"
  fi
}

# Dumps the schema of the database that was restored from the dump.
dump_restored() { dump_schema "$restored_text"; }

# compare_schema HASH ARGUMENT ROLE DATABASE OPTION...: if the hash of the restored schema is not the source's, restores the schema
# file into a new DATABASE, made with these options, as this role. ARGUMENT is its name for --dbname.
compare_schema() {
  [[ $1 =~ ^[0-9a-f]{64}$ && $1 != "$schema_sha256" && -n $schema ]] || return 0
  shift
  tell schema-restored "$((16 << 10))" restore_schema "$@"
  record schema-of-file "$(dump_schema "$schema_text" </dev/null)"
  heed_watch
  cmp --silent "/proc/self/fd/$restored_text" "/proc/self/fd/$schema_text" || record schema-lines "$(differences)"
}

restore_schema() {
  scratch renew "${@:3}" </dev/null &&
    unpacked "$schema" | scratch restore plain none "$1" "$2"
}

# The first lines that differ: `-` as restored from the dump, `+` as restored from the schema file. Nothing without `diff`.
differences() {
  { timeout 20 diff -U 0 "/proc/self/fd/$restored_text" "/proc/self/fd/$schema_text" 2>/dev/null || true; } |
    sed -n '3,$ { /^[-+]/p }' | head -n 12 | cut -b 1-200 || true
}
