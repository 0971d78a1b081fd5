# shellcheck shell=bash
# Read-only: what the reverse proxies of the project tell about how users reach its services.

readonly most_proxies=5

# survey_proxies ID...: records for each running container that may be a proxy: its service, then lines `answers ADDRESS` for
# the published ports that answer over HTTP, and `looks-up-once HOST` for what its nginx resolves only at its start. A line
# `nginx` says that it is one, `read` that its configuration could be read. Of that, only names of hosts are recorded.
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
  [[ $2 =~ nginx|openresty|NGINX_VERSION ]] || return 0
  printf 'nginx\n'
  hosts=$(timeout 5 docker exec "$1" nginx -T 2>/dev/null </dev/null) || return 0
  printf 'read\n'
  hosts_looked_up_once <<<"$hosts"
}

# hosts_looked_up_once: the hosts that nginx resolves only when it reads its configuration, from that configuration: those of
# upstreams, and those that are passed to by a name without a variable. Those that are not names are left out.
hosts_looked_up_once() {
  sed -E 's/(^|[[:space:];{}])#.*$/\1/' | tr '\n' ' ' | tr ';{}' '[\n*]' | awk '
    function tell(host) {
      gsub(/["'\'']/, "", host)
      if (host ~ /\$/ || host ~ /^(https?:\/\/)?unix:/) return
      sub(/^[a-z]+:\/\//, "", host)
      sub(/[\/:?].*$/, "", host)
      if (host ~ /^[A-Za-z0-9._-]+$/ && host !~ /^[0-9.]+$/) print "looks-up-once " tolower(host)
    }
    $1 ~ /^(proxy|grpc|fastcgi|uwsgi|scgi|memcached)_pass$/ { tell($2) }
    $1 == "server" && NF > 1 {
      for (word = 3; word <= NF; word++) if ($word == "resolve") next
      tell($2)
    }' | sort -u | head -n 200
}
