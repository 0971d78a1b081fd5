# shellcheck shell=bash
# Records every byte that a value can hold, and what looks like the end of a result.

main() {
  local code bytes='' byte
  for ((code = 1; code < 256; code++)); do
    printf -v byte '\\x%02x' "$code"
    bytes+=$byte
  done
  record bytes "$(printf '%b.' "$bytes")"
  record empty ''
  record forged $'done 00000000000000000000000000000000\nfailed 00000000000000000000000000000000\n'
  # shellcheck disable=SC2154 # the supervisor's
  record own $'\n'"begin $nonce"$'\n'
  record last value
}
