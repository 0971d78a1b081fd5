# shellcheck shell=bash
# Tells what it was given by name, and leaves a sign that it has begun in the folder that is first in the list.

takes container
takes_list folders

main() {
  local value
  : >"${folders[0]}/begun" || true
  record container "$container"
  for value in "${folders[@]}"; do record value "$value"; done
}

ended() { : >"${folders[0]}/ended" || true; }
