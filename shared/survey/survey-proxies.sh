# shellcheck shell=bash
# Read-only: what the reverse proxies of the project tell about how users reach its services.

readonly most_proxies=5

# survey_proxies ID...: records for each running container that may be a proxy: its service, then lines `answers ADDRESS` for
# the published ports that answer over HTTP, and `looks-up-once HOST` for what it resolves only at its start (nginx, HAProxy,
# Apache). A line `unread` says that this cannot be known. Of its configuration, only names of hosts are recorded.
survey_proxies() {
  local name service state facts variables found=() proxy
  # shellcheck disable=SC2154 # variable_names is survey.sh's
  while IFS=$'\t' read -r name service state facts variables; do
    [[ $state == running && $service =~ ^\"[A-Za-z0-9._-]+\"$ ]] || continue
    ((${#found[@]} < most_proxies)) || break
    [[ $facts$variables =~ nginx|openresty|caddy|traefik|haproxy|envoy|httpd|apache2|NGINX_VERSION ]] || continue
    exec {proxy}< <(printf '%s\n' "${service//\"/}" && look_into_proxy "${name#/}" "$facts$variables" 2>/dev/null)
    found+=("$proxy")
  done < <(docker inspect --format "$(columns \
    '{{.Name}}' \
    '{{json (index .Config.Labels "com.docker.compose.service")}}' \
    '{{.State.Status}}' \
    '{{json .Config.Image}} {{json .Path}} {{json .Args}}' \
    "$variable_names")" "$@" 2>/dev/null)
  for proxy in "${found[@]}"; do
    record proxy "$(cat <&"$proxy")"
    exec {proxy}<&-
  done
}

# look_into_proxy NAME FACTS
look_into_proxy() {
  local host port inside hosts http_status
  trap '' PIPE
  while read -r host port inside _; do
    ! speaks_no_http "$inside" || continue
    if web_status "$host" "$port" 2 && ! is_refusal "$http_status" && ! sends_to_https; then
      printf 'answers %s\n' "$(address_name "$host" "$port")"
    fi
  done < <(published_ports "$1" | head -n 4)
  case $2 in
    *haproxy*) hosts=$(haproxy_hosts "$1" "$2") ;;
    *nginx* | *openresty* | *NGINX_VERSION*)
      hosts=$(timeout 5 docker exec "$1" nginx -T 2>/dev/null </dev/null) && hosts=$(hosts_looked_up_once <<<"$hosts")
      ;;
    *httpd* | *apache2*) hosts=$(apache_hosts "$1") ;;
    *) return 0 ;;
  esac || { printf 'unread\n' && return; }
  [[ -z $hosts ]] || printf '%s\n' "$hosts"
}

# The awk function `tell`: prints the host of an address that is passed to, if it is a name. `varied` ones are those of which only a
# variable is known, as in http://api$request_uri.
# shellcheck disable=SC2016 # the dollars are awk's
readonly tell_host='
  function tell(host, varied) {
    gsub(/["'\'']/, "", host)
    if (!varied && host ~ /\$/ || host ~ /^(https?:\/\/)?unix:/) return
    sub(/^[a-z0-9]+:\/\//, "", host)
    sub(/[\/:?$].*$/, "", host)
    if (host ~ /^[A-Za-z0-9._-]+$/ && host !~ /^[0-9.]+$/) print "looks-up-once " tolower(host)
  }'

# hosts_looked_up_once: the hosts that nginx resolves only when it reads its configuration, from that configuration: those of
# upstreams, and those that are passed to by a name without a variable. Those that are not names are left out. Docker allows
# its answers to be kept for ten minutes: where a resolver is not told to ask again soon, those of variables as well.
hosts_looked_up_once() {
  sed -E 's/(^|[[:space:];{}])#.*$/\1/; s/\$\{([A-Za-z0-9_]+)\}/$\1/g' | tr '\n' ' ' |
    sed -e 's/[{]/ {\n/g' -e 's/[}]/\n}\n/g' -e 's/;/\n/g' | awk "$tell_host"'
    function is_long(time) {
      if (time ~ /^[0-9]+ms$/) return time + 0 > 10000
      return time !~ /^[0-9]+s?$/ || time + 0 > 10
    }
    function later(host) { varying[++count] = host }
    $NF == "{" { block[++depth] = $1; next }
    $1 == "}" { if (depth > 0) depth--; next }
    $1 == "resolver" {
      valid = ""
      for (word = 2; word <= NF; word++) if ($word ~ /^valid=/) valid = substr($word, 7)
      if (is_long(valid)) keeps = 1
    }
    block[depth] == "map" && NF == 2 { later($2); next }
    $1 == "set" && NF == 3 { later($3) }
    $1 ~ /^(proxy|grpc|fastcgi|uwsgi|scgi|memcached)_pass$/ { tell($2); later($2) }
    $1 == "server" && NF > 1 {
      later($2)
      for (word = 3; word <= NF; word++) if ($word == "resolve") next
      tell($2)
    }
    END { if (keeps) for (each = 1; each <= count; each++) tell(varying[each], 1) }' | sort -u | head -n 200
}

# haproxy_hosts NAME FACTS: the hosts that HAProxy resolves only at its start: those of servers without `resolvers`. Fails if its
# configuration is no single file that can be read.
haproxy_hosts() {
  local file=/usr/local/etc/haproxy/haproxy.cfg text arguments=${2//\"/} named='[[, ]-f[, ]([^], ]+)(.*)'
  if [[ $arguments =~ $named ]]; then
    file=${BASH_REMATCH[1]}
    [[ ! ${BASH_REMATCH[2]} =~ $named ]] || return
  fi
  text=$(timeout 5 docker exec "$1" cat "$file" 2>/dev/null </dev/null) || return
  hosts_haproxy_looks_up_once <<<"$text"
}

hosts_haproxy_looks_up_once() {
  sed -E 's/(^|[[:space:]])#.*$//' | awk "$tell_host"'
    $1 ~ /^(global|defaults|frontend|backend|listen|resolvers)$/ {
      if ($1 == "defaults") inherited = 0
      section = $1
      again = inherited
    }
    $1 == "default-server" && / resolvers / { again = 1; if (section == "defaults") inherited = 1 }
    $1 ~ /^server(-template)?$/ && !again && !/ resolvers / {
      host = $1 == "server" ? $3 : $4
      sub(/^[a-z0-9]+@/, "", host)
      tell(host)
    }' | sort -u | head -n 200
}

# apache_hosts NAME: the hosts that Apache resolves only at its start, from the folders of its configuration. Fails if it passes
# requests on, but nothing shows where to.
apache_hosts() {
  local text
  # shellcheck disable=SC2016 # a program for the container
  text=$(timeout 5 docker exec "$1" sh -c '
    modules=$(httpd -M 2>/dev/null || apachectl -M 2>/dev/null) || exit
    case $modules in
      *proxy_module*) cat $(find /usr/local/apache2/conf /etc/apache2 /etc/httpd -name "*.conf" 2>/dev/null) ;;
      *) echo none ;;
    esac' 2>/dev/null </dev/null) || return
  [[ $text != none ]] || return 0
  text=$(hosts_apache_looks_up_once <<<"$text")
  [[ -n $text ]] && printf '%s' "$text"
}

hosts_apache_looks_up_once() {
  { grep -Ei '^[[:space:]]*(ProxyPass|ProxyPassMatch|BalancerMember|RewriteRule|SetHandler)[[:space:]]' || true; } |
    { grep -Eio '(h2c?|https?|wss?|fcgi|ajp|uwsgi|scgi)://[a-z0-9._-]+' || true; } |
    awk "$tell_host"'{ tell(tolower($1)) }' | sort -u | head -n 200
}
