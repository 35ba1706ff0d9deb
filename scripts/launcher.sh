# Sourced by the five scripts, with $operation and $here set. Plain sh; starts no process before Node.
# HF_AWS_NODE names the Node to use; else the one on PATH, else one in the usual places.

umask 077
home=$here/..

# Host Factory reads this and nothing else. The text must need no JSON escapes.
fail() {
  printf '{"message":"%s"}\n' "$1"
  exit 1
}

# What goes to stderr belongs in a file of the log folder: Host Factory never sees it.
log=${HF_PROVIDER_LOGDIR:-${HF_LOGDIR:-${PRO_LSF_LOGDIR:-$home/log}}}
case ${HF_PROVIDER_NAME:-${PROVIDER_NAME:-awsinst}} in
  */*) errors=$log/provider.err ;;
  *) errors=$log/${HF_PROVIDER_NAME:-${PROVIDER_NAME:-awsinst}}-provider.err ;;
esac
if [ -f "$errors" ] && [ -w "$errors" ]; then
  exec 2>>"$errors"
elif [ ! -e "$errors" ] && [ -d "$log" ] && [ -w "$log" ]; then
  exec 2>>"$errors"
else
  exec 2>/dev/null
fi

node=
if [ -n "${HF_AWS_NODE:-}" ]; then
  node=$HF_AWS_NODE
elif command -v node >/dev/null 2>&1; then
  node=$(command -v node)
else
  for candidate in /usr/local/bin/node /usr/bin/node /opt/node/bin/node /opt/nodejs/bin/node; do
    if [ -x "$candidate" ]; then
      node=$candidate
      break
    fi
  done
fi
[ -n "$node" ] || fail 'hostfactory-aws found no node: set HF_AWS_NODE to the node program (20.19 or later)'
[ -f "$node" ] && [ -x "$node" ] || fail 'hostfactory-aws cannot run the program that HF_AWS_NODE names'
[ -f "$home/dist/hf-aws.cjs" ] || fail 'hostfactory-aws is not built: run npm ci and npm run build in its folder, or install the package again'

exec "$node" "$home/dist/hf-aws.cjs" "$operation" "$@"
