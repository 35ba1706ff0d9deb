#!/bin/sh
# Installs this package, or upgrades what is there; needs Node and no network.
#   sh install.sh <target>             e.g. $HF_TOP/$HF_VERSION/providerplugins/awsts
#   sh install.sh --rollback <target>  back to the installation before
#   sh install.sh --service <target>   as root: a systemd unit for the server that answers the scripts of what is installed there
# Each version gets a folder of its own beside <target>, which is a link to the one in use: calls that run meanwhile end
# with the version they began with, and a killed install.sh leaves the old one in use.

set -u
umask 022

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}
usage='usage: sh install.sh [--rollback | --service] <target>, e.g. $HF_TOP/$HF_VERSION/providerplugins/awsts'

# Whether all files in a folder are those that were packaged.
is_whole() {
  (cd "$1" && cut -d ' ' -f 3- MANIFEST | while read -r file; do cksum "$file"; done | cmp -s - MANIFEST) 2>/dev/null
}

# Replaces the link at once.
switch_to() {
  "$node" -e '
    const fs = require("fs"), [, folder, aside, target] = process.argv;
    fs.symlinkSync(folder, aside);
    fs.renameSync(aside, target);' "${1##*/}" "$target.$$" "$target" || fail "cannot make the link $target"
}

here=$(cd -P "$(dirname "$0")" && pwd) || fail 'cannot enter its own folder'
rollback= service=
case ${1:-} in
  --rollback) rollback=yes && shift ;;
  --service) service=yes && shift ;;
esac
case ${1:-} in
  -h | --help) printf '%s\n' "$usage" && exit 0 ;;
  '' | -*) fail "$usage" ;;
esac
[ $# -eq 1 ] || fail "$usage"

node=${HF_AWS_NODE:-}
for candidate in node /usr/local/bin/node /usr/bin/node /opt/node/bin/node /opt/nodejs/bin/node; do
  [ -n "$node" ] || ! command -v "$candidate" >/dev/null 2>&1 || node=$candidate
done
[ -n "$node" ] || fail 'no node found: set HF_AWS_NODE to the node program (20.19 or later)'
version=$(HF_PROVIDER_WORKDIR=/nonexistent "$node" "$here/dist/hf-aws.cjs" --version 2>&1) ||
  fail "$node cannot run this package: $version"

# A value for a unit: "%" and quotes mean something there.
quoted() {
  printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g; s/%/%%/g')"
}
# What the scripts go by as well: the server answers only those whose environment is the same.
environment() {
  for variable in HF_TOP HF_VERSION HF_CONFDIR HF_WORKDIR HF_LOGDIR HF_PROVIDER_NAME HF_PROVIDER_CONFDIR HF_PROVIDER_WORKDIR \
    HF_PROVIDER_LOGDIR HF_AWS_NODE TZ NODE_OPTIONS NODE_EXTRA_CA_CERTS NO_PROXY no_proxy AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE \
    AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_ENDPOINT_URL AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT; do
    eval "value=\${$variable-}"
    [ -z "$value" ] || printf 'Environment=%s\n' "$(quoted "$variable=$value")"
  done
}
if [ -n "$service" ]; then
  target=$(cd -P "$(dirname "$1")" 2>/dev/null && pwd)/$(basename "$1")
  [ -f "$target/dist/hf-aws.cjs" ] || fail "nothing is installed at $1"
  [ -n "${HF_TOP:-}${HF_PROVIDER_WORKDIR:-}" ] || fail 'set HF_TOP, as Host Factory does for its scripts'
  folder=${HF_AWS_UNITS:-/etc/systemd/system}
  [ -w "$folder" ] || fail "$folder is not writable for $(id -un): run this as root"
  program=$(command -v "$node") || fail "cannot find $node"
  owner=$(ls -ldn "$target/dist/hf-aws.cjs" | awk '{ print $3 }')
  {
    cat <<unit
# Written by install.sh --service. The scripts do their calls themselves whenever this is stopped.
[Unit]
Description=hostfactory-aws, answers the scripts of Host Factory
After=network-online.target remote-fs.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
# The program systemd-notify speaks for the server.
NotifyAccess=all
User=$owner
unit
    environment
    cat <<unit
ExecStart=$(quoted "$program") $(quoted "$target/dist/hf-aws.cjs") serve --scripts-only
# Also after an upgrade: the server ends by itself, and begins as the other version.
Restart=always
RestartSec=1
WatchdogSec=30
KillMode=mixed
# Calls under way are finished: none has longer than 80 % of actionTimeoutSeconds.
TimeoutStopSec=210
MemoryMax=2G
LimitNOFILE=65536
UMask=0077
CapabilityBoundingSet=
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=read-only
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
unit
  } >"$folder/hf-aws.service.$$" && chmod 644 "$folder/hf-aws.service.$$" &&
    mv "$folder/hf-aws.service.$$" "$folder/hf-aws.service" || fail "cannot write $folder/hf-aws.service"
  printf 'Written:      %s/hf-aws.service\n' "$folder"
  printf 'Next:         systemctl daemon-reload && systemctl enable --now hf-aws\n'
  exit 0
fi

parent=$(cd -P "$(dirname "$1")" 2>/dev/null && pwd) || fail "there is no folder $(dirname "$1")"
target=$parent/$(basename "$1")
[ -w "$parent" ] || fail "$parent is not writable for $(id -un): run this as the owner of the folder"
old=
if [ -e "$target" ]; then
  [ -f "$target/dist/hf-aws.cjs" ] || fail "$target is something else: choose another target"
  old=$(cd -P "$target" && pwd)
fi

if [ -n "$rollback" ]; then
  [ -n "$old" ] && [ -f "$old/PREVIOUS" ] || fail "there is nothing before $target"
  previous=$parent/$(cat "$old/PREVIOUS")
  [ -f "$previous/dist/hf-aws.cjs" ] || fail "$previous is gone"
  switch_to "$previous"
  printf '%s is %s again\n' "$target" "$previous"
  exit 0
fi

[ "$old" != "$here" ] || fail "the package is unpacked at its target: unpack it elsewhere, e.g. in /tmp"
is_whole "$here" || fail 'the package is damaged: unpack it again'
free=$(df -Pk "$parent" | awk 'NR == 2 { print $4 }')
[ "${free:-0}" -gt 20000 ] || fail "$parent has less than 20 MB left"
for state in requests live archive; do
  [ ! -d "$target/work/$state" ] ||
    fail "$target/work holds the state of calls by hand: move it, and name it by HF_PROVIDER_WORKDIR"
done

stamp=$(date -u +%Y%m%d%H%M%S)
while ! mkdir "$target-$version-$stamp" 2>/dev/null; do
  [ -d "$target-$version-$stamp" ] || fail "cannot make $target-$version-$stamp"
  stamp=$((stamp + 1))
done
new=$target-$version-$stamp
trap 'rm -rf "$new"; exit 1' HUP INT TERM
cp -R "$here/." "$new" && is_whole "$new" || {
  rm -rf "$new"
  fail "could not copy everything to $new"
}
if [ -n "$old" ]; then
  if [ ! -h "$target" ]; then
    old=$target-before-$stamp
    mv "$target" "$old" || fail "cannot rename $target"
  fi
  printf '%s\n' "${old##*/}" >"$new/PREVIOUS"
fi
trap '' HUP INT TERM
switch_to "$new"

printf 'Installed hostfactory-aws %s: %s -> %s\n' "$version" "$target" "${new##*/}"
if [ -n "$old" ]; then
  is_whole "$old" || printf 'Files of the former installation were changed by hand: take over what you need.\n'
  printf 'The former one is kept: %s\n' "$old"
  printf 'Back to it:   sh %s/install.sh --rollback %s\n' "$target" "$target"
else
  printf 'Next:         node %s/dist/hf-aws.cjs init --register\n' "$target"
fi
