#!/bin/sh
# A web service that is ill on demand, by ILL:
#   start   ends at once            health  answers its health test with 404
#   slow    serves after DELAY s    later   is well, and ends after DELAY s
#   deaf    does not hear SIGTERM        quits   is well, and ends with 0 after DELAY s
set -eu

if [ "${ILL:-}" = start ]; then
  echo 'fatal: cannot start' >&2
  exit 3
fi
[ "${ILL:-}" != slow ] || sleep "$DELAY"
mkdir -p /www
echo "$VERSION" >/www/version
echo "$VERSION" >/www/index.html
[ "${ILL:-}" = health ] || echo ok >/www/health
echo "version $VERSION is serving"
if [ "${ILL:-}" = later ]; then
  httpd -p 8080 -h /www
  sleep "$DELAY"
  echo 'fatal: out of luck' >&2
  exit 4
fi
if [ "${ILL:-}" = deaf ]; then
  trap '' TERM
  exec httpd -f -p 8080 -h /www
fi
if [ "${ILL:-}" = quits ]; then
  httpd -p 8080 -h /www
  sleep "$DELAY"
  exit 0
fi
# As a server should: it takes no new connection, and finishes what it is answering.
httpd -f -p 8080 -h /www &
server=$!
trap 'kill "$server"; sleep 0.1; exit 0' TERM
wait "$server"
