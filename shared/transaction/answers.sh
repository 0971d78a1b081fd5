# shellcheck shell=bash disable=SC2154 # `plan` is the caller's
# Checks that an address gives its users a good answer.

# http_answers HOST PORT PATH NAME LIMIT: whether there is an HTTP answer with a status below LIMIT.
http_answers() {
  local line
  exec {socket}<>"/dev/tcp/$1/$2" || return
  printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: atlasia-rollback\r\nConnection: close\r\n\r\n' "$3" "$4" >&"$socket"
  IFS= read -r -t 1 line <&"$socket" || line=
  exec {socket}>&-
  [[ $line =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]] && ((BASH_REMATCH[1] < $5))
}

# url_answers: whether the health-url answers, asked the way its users reach it.
url_answers() {
  if [[ -n ${plan[health_port]-} ]]; then
    http_answers "${plan[health_host]}" "${plan[health_port]}" "${plan[health_path]}" "${plan[health_name]}" 400
  else
    curl --silent --fail --output /dev/null --max-time 1 --config - <<<"url = \"${plan[health_url]}\""
  fi
}
