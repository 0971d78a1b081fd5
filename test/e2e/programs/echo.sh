# shellcheck shell=bash
# Records what it was given, parameter by parameter, and what a child finds on its stdin and among its descriptors.

takes_list values

main() {
  local value
  for value in "${values[@]}"; do record parameter "$value"; done
  record stdin "$(cat)"
  record head "$(head -c 4)"
  record descriptors "$(bash -c 'echo /proc/self/fd/*')"
  record umask "$(umask)"
  if read -r value; then record read "$value"; else record read 'end of input'; fi
}
