#!/bin/sh
# A web service that is ill on demand: ILL=health answers its health check with 404, ILL=start ends at once.
set -eu

if [ "${ILL:-}" = start ]; then
  echo 'fatal: cannot start' >&2
  exit 3
fi
mkdir -p /www
echo "$VERSION" >/www/version
[ "${ILL:-}" = health ] || echo ok >/www/health
exec httpd -f -p 8080 -h /www
