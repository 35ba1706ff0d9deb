#!/bin/sh
# Installs this package, or upgrades what is there; needs Node and no network.
#   sh install.sh <target>             e.g. $HF_TOP/$HF_VERSION/providerplugins/awsts
#   sh install.sh --rollback <target>  back to the installation before
# Each version gets a folder of its own beside <target>, which is a link to the one in use: calls that run meanwhile end
# with the version they began with, and a killed install.sh leaves the old one in use.

set -u
umask 022

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}
usage() { fail 'usage: sh install.sh [--rollback] <target>, e.g. $HF_TOP/$HF_VERSION/providerplugins/awsts'; }

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
rollback=
if [ "${1:-}" = --rollback ]; then
  rollback=yes
  shift
fi
case ${1:-} in '' | -*) usage ;; esac
[ $# -eq 1 ] || usage

node=${HF_AWS_NODE:-}
for candidate in node /usr/local/bin/node /usr/bin/node /opt/node/bin/node /opt/nodejs/bin/node; do
  [ -n "$node" ] || ! command -v "$candidate" >/dev/null 2>&1 || node=$candidate
done
[ -n "$node" ] || fail 'no node found: set HF_AWS_NODE to the node program (20.19 or later)'
version=$(HF_PROVIDER_WORKDIR=/nonexistent "$node" "$here/dist/hf-aws.cjs" --version 2>&1) ||
  fail "$node cannot run this package: $version"

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
