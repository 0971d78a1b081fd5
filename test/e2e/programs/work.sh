# shellcheck shell=bash
# Works as its first parameter says, in the folder that is its second. What it starts outlives no program.

main() {
  folder=$2
  "$1" "${@:3}"
}

# One that ignores TERM as well.
stubbornly() {
  (trap '' TERM HUP INT && exec sleep 1001) &
  for_ever
}

# For as long as it may: itself, a child that is waited for, and some in the background.
for_ever() {
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
  : >"$folder/started"
  sleep "$1"
  progress working 1
  echo 'a line of the log' >&2 || true
  record working yes
  : >"$folder/finished"
  record finished yes
}

ended() {
  : >"$2/ended"
  [[ ! -e $2/finished ]] || : >"$2/ended-after-the-end"
}
