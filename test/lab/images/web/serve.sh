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
[ "${ILL:-}" != deaf ] || trap '' TERM
if [ "${ILL:-}" = quits ]; then
  httpd -p 8080 -h /www
  sleep "$DELAY"
  exit 0
fi
exec httpd -f -p 8080 -h /www
