# shellcheck shell=bash
# Sourced: packages of another Debian suite, without this machine's apt knowing of them.

# use_suite SUITE FOLDER: goes to the folder, and makes there what `suite_apt` needs.
use_suite() {
  local suite=$1 folder=$2 mirror
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(find /etc/apt/sources.list /etc/apt/sources.list.d -type f -exec grep -hE '^(URIs:|deb )' {} + 2>/dev/null |
    grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
  # Ubuntu's apt names none; its debootstrap does.
  [[ -n $mirror ]] || mirror=$(sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' "$(command -v debootstrap)")

  cd "$folder" || return
  mkdir -p lists/partial cache/archives/partial
  # As if nothing was installed.
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
APT::Install-Recommends "false";
APT::Update::Post-Invoke-Success "";
Debug::NoLocking "true";
CONF
  suite_apt update
}

# suite_apt ARGUMENT...: apt-get that knows that suite alone.
suite_apt() { apt-get -q -c apt.conf "$@"; }
