#!/bin/bash
# A private Docker engine that lives as long as somebody uses it: `engine.sh <folder> <lock file> <addresses> [<disk>]`.
#
# Its networks have addresses of this /16. With a size such as 3g, its data lie on a disk of their own. A file `restart`
# in the folder makes it stop and start again, as `systemctl restart docker` does; the file goes when it answers.
#
# Each user keeps a file `users/<pid>-<start time>…` in the folder. When none of those processes lives any more, also
# because they were killed, the engine is stopped. Images are kept for the next time, containers are not.
set -euo pipefail

folder=$1 lock=$2 addresses=$3 disk=${4-}
cd "$folder"
socket=$folder/docker.sock
export DOCKER_HOST=unix://$socket

# No iptables and no default bridge: another engine's rules stay as they are. Published ports still work, by
# docker-proxy. The address pool keeps off the one that engines take by default.
cat >daemon.json <<JSON
{
  "default-address-pools": [{ "base": "$addresses", "size": 24 }],
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

start_engine() {
  dockerd --config-file "$folder/daemon.json" --data-root "$folder/data" --exec-root "$folder/exec" \
    --pidfile "$folder/docker.pid" --host "$DOCKER_HOST" --iptables=false --ip6tables=false --bridge=none \
    --containerd-namespace "${folder##*/}" --containerd-plugins-namespace "${folder##*/}-plugins" \
    >>dockerd.log 2>&1 </dev/null &
  dockerd=$!
  for _ in {1..600}; do
    if answers || ! kill -0 "$dockerd" 2>/dev/null; then break; fi
    sleep 0.05
  done
  answers
}

stop_engine() {
  kill -TERM "$dockerd" 2>/dev/null || true
  wait "$dockerd" || true
}

end() {
  stop_engine
  [[ -z $disk ]] || umount --lazy data
  rm -f ready restart
}

end_leftover
mkdir -p users data
[[ -z $disk ]] || mountpoint --quiet data || mount -t tmpfs -o "size=$disk" lab data
: >dockerd.log
trap end EXIT
start_engine
remove_containers >/dev/null
echo "$$" >ready

while kill -0 "$dockerd" 2>/dev/null; do
  sleep 0.3
  if [[ -e restart ]]; then
    stop_engine
    start_engine
    rm -f restart
  fi
  in_use && continue
  # Whoever wants the engine now waits for the lock, and then starts a new one.
  exec 9>>"$lock"
  if flock --nonblock 9; then
    in_use || exit 0
  fi
  exec 9>&-
done
