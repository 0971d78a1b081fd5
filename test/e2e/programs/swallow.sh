# shellcheck shell=bash
# Reads what is sent to it, as a test asks: `all` of it, slowly and `late`, only a `part`, or `nothing`.

takes how

# shellcheck disable=SC2154 # incoming.sh takes `incoming`
main() {
  local sum
  open_incoming
  case $how in
    nothing) fail no-space 'nothing was wanted' ;;
    part)
      head -c 1000 <"$incoming/bytes" >/dev/null
      fail no-space 'a part was enough'
      ;;
    late) sleep 3 ;;
    *) ;;
  esac
  sum=$(sha256sum <"$incoming/bytes")
  demand_whole
  record sum "${sum%% *}"
}

ended() { drop_incoming; }
