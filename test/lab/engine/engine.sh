#!/bin/bash
# A private Docker engine that lives as long as somebody uses it: `engine.sh <folder> <lock file>`.
#
# Each user keeps a file `users/<pid>-<start time>…` in the folder. When none of those processes lives any more, also
# because they were killed, the engine is stopped. Images are kept for the next time, containers are not.
set -euo pipefail

folder=$1 lock=$2
cd "$folder"
socket=$folder/docker.sock
export DOCKER_HOST=unix://$socket

# No iptables and no default bridge: another engine's rules stay as they are. Published ports still work, by
# docker-proxy. The address pool keeps off the one that engines take by default.
cat >daemon.json <<'JSON'
{
  "default-address-pools": [{ "base": "10.213.0.0/16", "size": 24 }],
  "userland-proxy": true,
  "log-driver": "json-file",
  "shutdown-timeout": 3
}
JSON

# What a killed predecessor left behind, known by the folder it works in, would hold the data folder.
end_leftover() {
  local pid
  [[ -s docker.pid ]] && pid=$(<docker.pid) || return 0
  if [[ -r /proc/$pid/cmdline ]] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "--data-root $folder/data"; then
    kill -TERM "$pid"
    timeout 30 tail --pid="$pid" -f /dev/null || kill -KILL "$pid"
  fi
  rm -f docker.pid docker.sock
}

answers() {
  docker version >/dev/null 2>&1
}

remove_containers() {
  docker ps -aq | xargs -r docker rm -fv
  docker volume ls -q | xargs -r docker volume rm -f
  docker network prune -f
}

in_use() {
  local user pid start
  for user in users/*; do
    [[ -e $user ]] || continue
    IFS=- read -r pid start _ <<<"${user#users/}"
    # The 22nd field of stat is the start time; it tells a user from another process that got its number later.
    if [[ -r /proc/$pid/stat && $(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20) == "$start" ]]; then
      return 0
    fi
    rm -f "$user"
  done
  return 1
}

end_leftover
mkdir -p users
dockerd --config-file "$folder/daemon.json" --data-root "$folder/data" --exec-root "$folder/exec" \
  --pidfile "$folder/docker.pid" --host "$DOCKER_HOST" --iptables=false --ip6tables=false --bridge=none \
  >dockerd.log 2>&1 </dev/null &
dockerd=$!
trap 'kill -TERM "$dockerd" 2>/dev/null; wait "$dockerd"; rm -f ready' EXIT

for _ in {1..600}; do
  if answers || ! kill -0 "$dockerd" 2>/dev/null; then break; fi
  sleep 0.05
done
answers
remove_containers >/dev/null
echo "$$" >ready

while kill -0 "$dockerd" 2>/dev/null; do
  sleep 0.3
  in_use && continue
  # Whoever wants the engine now waits for the lock, and then starts a new one.
  exec 9>>"$lock"
  if flock --nonblock 9; then
    in_use || exit 0
  fi
  exec 9>&-
done
