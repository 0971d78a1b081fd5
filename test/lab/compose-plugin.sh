#!/bin/bash
# Takes the compose of another Debian suite out of its package, and leaves this machine's apt alone: Debian 12 has no compose 2,
# and those of later suites run here as they are. `compose-plugin.sh <suite> <folder for apt> <file to make>`.
set -euo pipefail

suite=$1 folder=$2 plugin=$3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$(find /etc/apt/sources.list /etc/apt/sources.list.d -type f -exec grep -hE '^(URIs:|deb )' {} + 2>/dev/null |
  grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
: "${mirror:?no Debian mirror is named in /etc/apt}"

cd "$folder"
mkdir -p lists/partial cache/archives/partial
: >status
echo "deb [signed-by=$keyring] $mirror $suite main" >sources.list
cat >apt.conf <<CONF
Dir::State::Lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
Dir::Etc::sourcelist "$folder/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "-";
Acquire::Languages "none";
APT::Sandbox::User "";
APT::Update::Post-Invoke-Success "";
CONF

apt-get -q -c apt.conf update
apt-get -q -c apt.conf download docker-compose
mkdir -p "$(dirname "$plugin")"
dpkg-deb --fsys-tarfile docker-compose_*.deb | tar -xO ./usr/libexec/docker/cli-plugins/docker-compose >"$plugin.new"
chmod 0755 "$plugin.new"
mv "$plugin.new" "$plugin"
