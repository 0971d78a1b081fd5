# shellcheck shell=bash
# shellcheck disable=SC2034 # for the programs that this is sent in front of
# A schema as pg_dump prints it, for programs that compare two.

# Bytes: as much as the largest schema takes.
readonly most_schema=$((40 << 20))

# Passes on a schema without the lines that differ from run to run: the same as stableSchema in shared/report/schema-changes.ts.
stable() {
  awk '/^(\\(un)?restrict |-- Dumped (from|by) |-- (Started|Completed) on )/ { next }
    $0 == "" { blank = blank "\n"; next }
    { printf "%s%s%s", begun ? "\n" : "", blank, $0; begun = 1; blank = "" }'
}
