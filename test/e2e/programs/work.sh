# shellcheck shell=bash
# Works as its first parameter says, in the folder that is its second. What it starts outlives no program.

main() {
  folder=$2
  "$1" "${@:3}"
}

# For as long as it may: itself, a child that is waited for, one in the background, and one that ignores TERM.
for_ever() {
  (trap '' TERM HUP INT && exec sleep 1001) &
  sleep 1002 &
  (sleep 1003 & sleep 1004) &
  progress working 1
  : >"$folder/started"
  sleep 1005
  : >"$folder/went-on"
}

leave_children() {
  sleep 1006 &
  record left child
}

for_seconds() {
  progress working 1
  sleep "$1"
  : >"$folder/finished"
  record finished yes
}

ended() {
  : >"$2/ended"
  [[ ! -e $2/finished ]] || : >"$2/ended-after-the-end"
}
