# shellcheck shell=bash
# A container's own health test, run by us: Docker would wait for its interval, which may be minutes.

# read_health_test ID: reads the container's health check (from its image or the compose file) into `health_test`, else empty,
# the milliseconds that it may take into `health_limit`, and those for which its failures do not count into `health_start`.
read_health_test() {
  local shell
  mapfile -d '' health_test < <(docker inspect --format \
    '{{with .Config.Healthcheck}}{{json .Timeout}}{{"\x00"}}{{json .StartPeriod}}{{"\x00"}}{{range .Test}}{{.}}{{"\x00"}}{{end}}{{end}}' "$1" | head -c -1)
  # Nanoseconds; where none are given, Docker's default.
  health_limit=30000
  [[ ! ${health_test[0]-} =~ ^[1-9][0-9]{0,17}$ ]] || health_limit=$(((health_test[0] + 999999) / 1000000))
  health_start=0
  [[ ! ${health_test[1]-} =~ ^[1-9][0-9]{0,17}$ ]] || health_start=$((health_test[1] / 1000000))
  health_test=("${health_test[@]:2}")
  case ${health_test[0]-NONE} in
    NONE) health_test=() ;;
    CMD) health_test=("${health_test[@]:1}") ;;
    CMD-SHELL)
      mapfile -d '' shell < <(docker inspect --format '{{range .Config.Shell}}{{.}}{{"\x00"}}{{end}}' "$1" | head -c -1)
      ((${#shell[@]})) || shell=(/bin/sh -c)
      health_test=("${shell[@]}" "${health_test[1]-}")
      ;;
  esac
}

# in_start_period ID: whether a test that begins now may fail without counting, as Docker sees it: the container has not been
# running for longer than its start_period. So it is as well if nobody can tell since when it runs.
in_start_period() {
  local began
  ((health_start > 0)) || return
  began=$(docker inspect --format '{{.State.StartedAt}}' "$1" 2>/dev/null </dev/null) && began=$(date --date "$began" +%s%3N) || return 0
  (($(date +%s%3N) - began <= health_start))
}

# is_well ID [DEADLINE]: runs the container's health check right now, for as long as Docker would let it run, but not for much
# longer than until the deadline, in SECONDS. Docker would wait for its interval. 124: it was not done in time.
is_well() {
  local limit=$((health_limit + 1000)) left # it takes a moment to start
  if [[ -n ${2-} ]]; then
    left=$((($2 - SECONDS) * 1000))
    ((left > 1000)) || left=1000
    ((limit < left)) || limit=$left
  fi
  timeout "$((limit / 1000)).$(printf %03d "$((limit % 1000))")" docker exec "$1" "${health_test[@]}" </dev/null >/dev/null 2>&1
}
