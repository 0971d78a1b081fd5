# shellcheck shell=bash disable=SC2154 # the tables are those of read_plan
# A rollback that restores the database as well. The restored one lies complete beside the live one before any of this begins. Once
# whatever writes has stopped, the two exchange their names; on the way back they do so again. Which names are there tells what was
# done, so every step is safe to repeat.

# Seconds for one exchange; sessions that do not end make it fail sooner. For the server to come back after Docker's restart; and after
# a crash, from which it recovers by itself or not.
readonly exchange_limit=90 server_patience=120 crash_patience=20

restores() { [[ -n ${plan[database_restored]-} ]]; }

# in_database VERB ARGUMENT...: runs a function of inside.sh in the database container. The runner has added `inside_script` to us.
in_database() {
  PGUSER=${plan[database_user]} PGDATABASE=${plan[database]} SERVER_HOST=${plan[database_host]-} \
    SERVER_PORT=${plan[database_port]-} PASSWORD_FROM=${plan[database_password]-} PGAPPNAME=atlasia-${plan[id]} \
    timeout "$exchange_limit" docker exec --interactive --env PGUSER --env PGDATABASE --env SERVER_HOST --env SERVER_PORT \
    --env PASSWORD_FROM --env PGAPPNAME "${plan[database_container]}" sh -c "$(inside_script)" inside "$@" </dev/null
}

# exchanging VERB LIMIT: the limit of connections is that of the database which is live afterwards.
exchanging() { in_database "$1" "${plan[database]}" "${plan[database_restored]}" "${plan[database_aside]}" "$2"; }

# Which of the three databases there are; fails if the server does not answer.
standing() { in_database standing_of "${plan[database]}" "${plan[database_restored]}" "${plan[database_aside]}"; }

# still_restored: whether the restored database is there, and its name is free for the old one.
still_restored() {
  local found
  restores || return 0
  found=$(standing) || broken database-silent 'The database server does not answer' || return
  [[ $found == 'live restored' ]] ||
    broken plan-stale "The restored database ${plan[database_restored]} is no longer there, or ${plan[database]} is not"
}

# writers_run: whether what is to be restarted is still there to be restarted: what has ended by now would never start again.
writers_run() {
  local service
  for service in "${services[@]}"; do
    [[ ${strategy[$service]} != restart || -n $(at_work "$service") ]] ||
      broken plan-stale "$service was to be restarted, but has stopped since the plan was made" || return
  done
}

# stop_writers: stops everything that is swapped or restarted at once, so that the longest stop counts and not their sum.
stop_writers() {
  local service ids old=()
  for service in "${services[@]}"; do
    [[ ${strategy[$service]} == @(recreate|restart) ]] || continue
    mapfile -t ids < <(old_containers "$service")
    # From this line on, an engine that takes over restores the old containers.
    journal stopping "$service"
    old+=("${ids[@]}")
  done
  ((${#old[@]})) || return 0
  # If Docker is restarted, it must not start them.
  steady update --restart=no "${old[@]}" || broken docker-failed 'Docker could not update the containers that write' || return
  stop "${old[@]}" || broken stop-failed 'Docker could not stop the containers that write'
}

# exchange_databases: the restored database becomes the live one.
exchange_databases() {
  local said
  # Whoever goes back looks for this line, and must not start what writes on the restored database for want of it.
  journal exchanging
  has exchanging || broken disk-full 'The journal of the transaction cannot be written' || return
  said=$(exchanging exchange "${plan[database_restored_limit]}")
  case $said in
    exchanged) journal exchanged ;;
    *busy\ *) broken database-busy "A session of ${plan[database]} does not end: process ${said#*busy }" ;;
    *)
      # Only the first reason counts.
      standing >/dev/null || broken database-silent 'The database server does not answer any more' || true
      broken not-exchanged "The databases could not exchange their names"
      ;;
  esac
}

# still_exchanged: whether the restored database is live at the end. What was started again may be well without its server.
still_exchanged() {
  local found patience=$((SECONDS + crash_patience))
  restores || return 0
  until found=$(standing) && [[ $found == 'aside live' ]]; do
    if ((SECONDS >= patience)); then
      [[ -n $found ]] || broken database-silent 'The database server does not answer any more' || return
      broken not-exchanged "Somebody has renamed or dropped ${plan[database]} or ${plan[database_aside]} since they exchanged their names" || return
    fi
    sleep 1
  done
}

# put_database_back: the old database becomes the live one again. The server may have been restarted with Docker.
put_database_back() {
  local said patience=$((SECONDS + server_patience))
  has exchanging || return 0
  ! has exchanged-back || return 0
  until said=$(exchanging exchange_back "${plan[database_limit]}") && [[ $said == exchanged-back ]]; do
    if ((SECONDS >= patience)) || [[ $said == *busy* ]]; then
      journal problem "Could not make sure that the old database is back. If \\l lists a database ${plan[database_aside]}, that is the old one, and ${plan[database]} the restored one; to swap them back: docs/restore.md, 'Back to the old database'"
      return 1
    fi
    sleep 1
  done
  journal exchanged-back
}

# stop_all: so that nothing writes while the names change back.
stop_all() {
  local ids
  has exchanging && ! has exchanged-back || return 0
  mapfile -t ids < <(cut -f 2 before.tsv after.tsv 2>/dev/null | sort -u)
  stop "${ids[@]}" 2>/dev/null || true
}

# drop_restored: nobody needs the restored copy any more. It can be restored again.
drop_restored() {
  restores || return 0
  in_database discard "${plan[database_restored]}" "${plan[database]}" >/dev/null ||
    journal problem "Could not drop the restored copy ${plan[database_restored]}, which nobody needs. The next restore does so"
}

# restart SERVICE: starts the containers again that stop_writers has stopped.
restart() {
  local service=$1 of id ids policy
  mapfile -t ids < <(target_containers "$service")
  while IFS=$'\t' read -r of id _ _ _ _ policy; do
    [[ $of == "$service" ]] || continue
    [[ $policy != :* ]] || policy=no
    steady update "--restart=${policy%:0}" "$id" || broken docker-failed "Docker could not update $service" || return
  done <before.tsv
  docker start "${ids[@]}" >/dev/null </dev/null || broken not-started "Docker could not start $service again" || return
  aim_at "$service" "${ids[0]}"
  journal started "$service"
  await_answer "$service" "${ids[@]}" && refresh_proxies "$service"
}
