# shellcheck shell=bash disable=SC2154 # `plan` is the caller's
# Whether an address answers as a user would have it.

# http_answers HOST PORT PATH NAME LIMIT: whether an HTTP answer comes with a status below the limit.
http_answers() {
  local line
  exec {socket}<>"/dev/tcp/$1/$2" || return
  printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: atlasia-rollback\r\nConnection: close\r\n\r\n' "$3" "$4" >&"$socket"
  IFS= read -r -t 1 line <&"$socket" || line=
  exec {socket}>&-
  [[ $line =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]] && ((BASH_REMATCH[1] < $5))
}

# url_answers: the health-url, as its users reach it.
url_answers() {
  if [[ -n ${plan[health_port]-} ]]; then
    http_answers "${plan[health_host]}" "${plan[health_port]}" "${plan[health_path]}" "${plan[health_name]}" 400
  else
    curl --silent --fail --output /dev/null --max-time 1 --config - <<<"url = \"${plan[health_url]}\""
  fi
}
