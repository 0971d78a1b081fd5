# shellcheck shell=bash
# The TCP ports that containers publish on the host, and whether somebody answers there. This is where users are.

# Lines `NAME bound|open|host PORT/PROTOCOL ADDRESS PORT-OF-HOST "SERVICE"`: what the container's configuration asks for, what
# Docker made of it, and what a container in the host's own network exposes. A dash is a port that Docker chooses.
# shellcheck disable=SC2016 # the dollars are the template's
readonly published_lines='{{$name := .Name}}{{$service := json (index .Config.Labels "com.docker.compose.service")}}'\
'{{range $port, $all := .HostConfig.PortBindings}}{{range $all}}'\
'{{$name}} bound {{$port}} {{if .HostIp}}{{.HostIp}}{{else}}0.0.0.0{{end}} {{if .HostPort}}{{.HostPort}}{{else}}-{{end}} {{$service}}{{"\n"}}'\
'{{end}}{{end}}'\
'{{range $port, $all := .NetworkSettings.Ports}}{{range $all}}'\
'{{$name}} open {{$port}} {{if .HostIp}}{{.HostIp}}{{else}}0.0.0.0{{end}} {{if .HostPort}}{{.HostPort}}{{else}}-{{end}} {{$service}}{{"\n"}}'\
'{{end}}{{end}}'\
'{{if eq .HostConfig.NetworkMode "host"}}{{range $port, $none := .Config.ExposedPorts}}'\
'{{$name}} host {{$port}} 127.0.0.1 - {{$service}}{{"\n"}}'\
'{{end}}{{end}}'

# published_ports ID...: lines `HOST PORT INSIDE KIND CONTAINER SERVICE` for each TCP port that is open on the host, with the
# address at which this host can ask. KIND is `fixed` if the configuration names the port, `everywhere` if it is open at every
# address of the host too, `any` if Docker chose the port, `host` if the container has the network of the host and exposes it.
published_ports() {
  docker inspect --format "$published_lines" "$@" 2>/dev/null </dev/null | tr -d '"' | awk '
    $6 == "" { $6 = "-" }
    $3 !~ /\/tcp$/ || $6 !~ /^[A-Za-z0-9._-]+$/ { next }
    { sub(/^\//, "", $1); sub(/\/tcp$/, "", $3) }
    $2 == "host" { $5 = $3; shared[$1, $3, $5] = 1 }
    $2 == "bound" { fixed[$1, $3, $5] = 1; next }
    $5 !~ /^[0-9]+$/ { next }
    $4 == "0.0.0.0" { everywhere[$1, $3, $5] = 1 }
    { name[++count] = $1; inside[count] = $3; at[count] = $4; port[count] = $5; service[count] = $6 }
    END {
      for (each = 1; each <= count; each++) {
        key = name[each] SUBSEP inside[each] SUBSEP port[each]
        if (at[each] == "::" && key in everywhere) continue
        host = at[each] == "0.0.0.0" ? "127.0.0.1" : at[each] == "::" ? "::1" : at[each]
        kind = key in shared ? "host" : !(key in fixed) ? "any" : at[each] ~ /^(0\.0\.0\.0|::)$/ ? "everywhere" : "fixed"
        print host, port[each], inside[each], kind, name[each], service[each]
      }
    }' | sort -u
}

# bound_ports ID...: lines `ADDRESS PORT` that the configuration of containers asks for, running or not.
bound_ports() {
  docker inspect --format "$published_lines" "$@" 2>/dev/null </dev/null |
    awk '$2 == "bound" && $3 ~ /\/tcp$/ { print $4, $5 }'
}

# address_name HOST PORT: `127.0.0.1:8080`, `[::1]:8080`.
address_name() {
  if [[ $1 == *:* ]]; then printf '[%s]:%s' "$1" "$2"; else printf '%s:%s' "$1" "$2"; fi
}

# speaks_no_http PORT: whether servers that use this port inside their container take a request of ours for an attack, or count
# it as an error: mail, databases, queues.
speaks_no_http() {
  case $1 in
    21 | 22 | 25 | 53 | 110 | 143 | 389 | 465 | 587 | 636 | 993 | 995 | 1433 | 1521 | 1883 | 2181 | 3306 | 3389 | 4222) ;;
    5432 | 5433 | 5671 | 5672 | 6379 | 6380 | 6432 | 8883 | 9042 | 9092 | 11211 | 26257 | 27017 | 27018 | 27019 | 33060) ;;
    *) return 1 ;;
  esac
}

# http_status HOST PORT PATH NAME SECONDS: the status of an HTTP answer, into `http_status`, and where a redirect leads into
# `http_location`; fails if there is none.
http_status() {
  local line socket until=$((SECONDS + $5))
  http_status='' http_location=''
  exec {socket}<>"/dev/tcp/$1/$2" || return
  printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: atlasia-rollback\r\nConnection: close\r\n\r\n' "$3" "$4" >&"$socket"
  IFS= read -r -t "$5" line <&"$socket" || line=
  [[ ! $line =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]] || http_status=${BASH_REMATCH[1]}
  while [[ $http_status == 30[12378] && -z $http_location ]] && ((SECONDS <= until)); do
    { IFS= read -r -t 1 -n 4000 line <&"$socket" && [[ $line == *:* ]]; } || break
    [[ ${line,,} != location:* ]] || read -r http_location <<<"${line#*:}"
  done
  exec {socket}>&-
  [[ -n $http_status ]]
}

# https_status HOST PORT SECONDS: the same over TLS, with any certificate; fails if the host has no curl. Sets `is_plain` if what came
# back was not TLS.
https_status() {
  local said
  http_status='' http_location='' is_plain=
  if said=$(LC_ALL=C curl --silent --show-error --insecure --output /dev/null --write-out '%{http_code}' --max-time "$3" \
    "https://$(address_name "$1" "$2")/" 2>&1 </dev/null); then
    [[ $said =~ ^[1-9][0-9]{2}$ ]] && http_status=$said
  else
    # In the words of OpenSSL, GnuTLS, NSS, mbed TLS and rustls.
    case ${said,,} in
      *'wrong version number'* | *'unknown protocol'* | *'packet length too long'* | *'unexpected tls packet'* | \
        *record_too_long* | *'invalid ssl record'* | *'corrupt message'*) is_plain=yes ;;
    esac
    return 1
  fi
}

# web_status HOST PORT SECONDS: the status of its answer for users, into `http_status`, and how it speaks into `web_way`: `http` or
# `https`. Many servers answer plain HTTP at their TLS port as well, with 400, whatever is behind them. So 400 counts only if
# curl has shown that it is no such port.
web_status() {
  local plain
  web_way=http
  ! http_status "$1" "$2" / localhost "$3" || [[ $http_status == 400 ]] || return 0
  plain=$http_status web_way=https
  https_status "$1" "$2" "$3" && return
  [[ $plain == 400 && -n $is_plain ]] || return
  web_way=http http_status=$plain
}

# sends_to_https: whether the last answer was nothing but the advice to come by HTTPS: it does not show what is behind.
sends_to_https() { [[ $web_way == http && ${http_location,,} == https://* ]]; }

# is_open HOST PORT: whether somebody holds the connection, or says something. Docker accepts one even without a listener in
# the container, but then closes it at once.
is_open() {
  local socket said=0
  exec {socket}<>"/dev/tcp/$1/$2" || return
  IFS= read -r -t 0.3 -n 1 <&"$socket" || said=$?
  exec {socket}>&-
  ((said == 0 || said > 128))
}

# is_refusal STATUS: a proxy says that it cannot reach what is behind it.
is_refusal() { [[ $1 == @(502|503|504) ]]; }

# ends_in_time PROCESS: whether it ends within 5 s, else kills it: an unanswered connection takes minutes to fail.
ends_in_time() {
  local waited
  for ((waited = 0; waited < 100; waited++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.05
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  return 1
}
