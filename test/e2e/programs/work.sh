# shellcheck shell=bash
# Works in a folder as it is told to. What it starts outlives no program.

takes verb folder
takes_list words

main() {
  "$verb" "${words[@]}"
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
  : >"$folder/ended"
  [[ ! -e $folder/finished ]] || : >"$folder/ended-after-the-end"
}
