# shellcheck shell=bash
# Prints more lines than anybody reads, tells of its steps meanwhile, and ends as it is told to.

takes ending

main() {
  progress first 1
  seq --format 'line %.0f of a flood, about as long as a warning' 60000 >&2
  progress second 2
  echo 'the last line' >&2
  record flooded yes
  "$ending"
}

well() { :; }

badly() { return 3; }
