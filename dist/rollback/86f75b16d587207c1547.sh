# shellcheck shell=bash disable=SC2154 # `plan` is the caller's
# Checks that an address gives its users a good answer.

# http_answers HOST PORT PATH NAME LIMIT [SECONDS]: whether there is an HTTP answer with a status below LIMIT.
http_answers() { http_status "$1" "$2" "$3" "$4" "${6-1}" && ((http_status < $5)); }

# answers_as KIND HOST PORT [SECONDS]: whether an address answers users in the way in which it did before. The answer of a proxy that
# cannot reach what is behind it is none, and neither is that of a server that fails where none failed before.
answers_as() {
  case $1 in
    http) http_status "$2" "$3" / localhost "${4-3}" && ((http_status < 500)) ;;
    https) https_status "$2" "$3" "${4-3}" && ((http_status < 500)) ;;
    http-any) http_status "$2" "$3" / localhost "${4-3}" && ! is_refusal "$http_status" ;;
    https-any) https_status "$2" "$3" "${4-3}" && ! is_refusal "$http_status" ;;
    tcp) is_open "$2" "$3" ;;
  esac
}

# way_of HOST PORT INSIDE: prints how the address answers now: `http`, `https`, either with `-any` if its server fails, or `tcp` for
# whatever else; fails if it does not.
way_of() {
  # Together less than ends_in_time allows.
  if ! speaks_no_http "$3" && web_status "$1" "$2" 2 2>/dev/null && ! is_refusal "$http_status"; then
    printf '%s' "$web_way"
    ((http_status < 500)) || printf -- -any
  else
    is_open "$1" "$2" 2>/dev/null && printf tcp
  fi
}

# url_answers: whether the health-url answers, asked the way its users reach it.
url_answers() {
  if [[ -n ${plan[health_port]-} ]]; then
    http_answers "${plan[health_host]}" "${plan[health_port]}" "${plan[health_path]}" "${plan[health_name]}" 400
  else
    curl --silent --fail --output /dev/null --max-time 1 --config - <<<"url = \"${plan[health_url]}\""
  fi
}
