# shellcheck shell=bash
# Compares the schema of the restored database with that of the source. PostgreSQL gives no textual round trip: it prints a check
# that says `a IN ('x', 'y')` in one way before a restore and in another after it. So where the hash differs from the source's,
# the set's own schema file is restored as well and dumped in the same way: both are then one restore away from the source.

# As much as the largest schema takes.
readonly most_schema=$((40 << 20))

# Two files for the texts. They lose their names at once, so that nothing can be left on the host.
open_texts() {
  local file
  file=$(mktemp) || fail drill-incomplete 'The host has no room for a temporary file'
  exec {restored_text}<>"$file"
  rm -f -- "$file"
  file=$(mktemp) || fail drill-incomplete 'The host has no room for a temporary file'
  exec {schema_text}<>"$file"
  rm -f -- "$file"
}

# dump_schema FILE-DESCRIPTOR: dumps the schema of the database into the file, without the lines that differ from run to run.
# Prints the hash of that; or how it failed, as `tell` does.
dump_schema() {
  local text=/proc/self/fd/$1 statuses=(0 0 0) sum
  PGTZ=$timezone look schema </dev/null | limited "$most_schema" | stable >"$text" || statuses=("${PIPESTATUS[@]}")
  if ((statuses[1])); then
    look silence </dev/null 2>&1 | limited 4096 >/dev/null || true
    printf 'cut %s' "$most_schema"
  elif ((statuses[0] || statuses[2])); then
    printf 'exit %s' "$((statuses[0] ? statuses[0] : statuses[2]))"
  else
    sum=$(sha256sum <"$text")
    printf %s "${sum%% *}"
  fi
}

# The same as stableSchema in shared/report/schema-changes.ts.
stable() {
  awk '/^(\\(un)?restrict |-- Dumped (from|by) |-- (Started|Completed) on )/ { next }
    $0 == "" { blank = blank "\n"; next }
    { printf "%s%s%s", begun ? "\n" : "", blank, $0; begun = 1; blank = "" }'
}

# compare_schema HASH: restores the schema file over the restored database, unless the hash is the source's.
compare_schema() {
  [[ $1 =~ ^[0-9a-f]{64}$ && $1 != "$schema_sha256" && -n $schema ]] || return 0
  tell schema-restored "$((16 << 10))" restore_schema
  record schema-of-file "$(dump_schema "$schema_text")"
  heed_watch
  cmp --silent "/proc/self/fd/$restored_text" "/proc/self/fd/$schema_text" || record schema-lines "$(differences)"
}

restore_schema() {
  scratch renew "$database" "${createdb_options[@]}" </dev/null &&
    unpacked "$schema" | scratch restore plain none "$database_argument" "$bootstrap_role"
}

# The first lines that differ: `-` as restored from the dump, `+` as restored from the schema file. Nothing without `diff`.
differences() {
  { timeout 20 diff -U 0 "/proc/self/fd/$restored_text" "/proc/self/fd/$schema_text" 2>/dev/null || true; } |
    sed -n '3,$ { /^[-+]/p }' | head -n 12 | cut -b 1-200 || true
}
