# Sourced by the five scripts, with $operation and $here set. Plain sh; starts no process but Node.
# HF_AWS_NODE names the Node to use; else the one on PATH, else one in the usual places.

umask 077

# Host Factory reads this and nothing else. The text must need no JSON escapes.
fail() {
  printf '{"message":"%s"}\n' "$1"
  exit 1
}

# The folder above the real scripts folder: the shell follows links there, Node would not.
started_in=$PWD
cd -P "$here/.." 2>/dev/null || fail 'hostfactory-aws cannot enter its own folder'
home=$PWD
cd "$started_in" 2>/dev/null || :

# What goes to stderr belongs in a file of the log folder: Host Factory never sees it.
log=${HF_PROVIDER_LOGDIR:-${HF_LOGDIR:-${PRO_LSF_LOGDIR:-$home/log}}}
case ${HF_PROVIDER_NAME:-${PROVIDER_NAME:-awsinst}} in
  */*) errors=$log/provider.err ;;
  *) errors=$log/${HF_PROVIDER_NAME:-${PROVIDER_NAME:-awsinst}}-provider.err ;;
esac
if [ -d "$log" ] && { true 2>>"$errors"; } 2>/dev/null; then
  exec 2>>"$errors"
else
  exec 2>/dev/null
fi

node=
if [ -n "${HF_AWS_NODE:-}" ]; then
  node=$HF_AWS_NODE
elif command -v node >/dev/null 2>&1; then
  node=node
else
  for candidate in /usr/local/bin/node /usr/bin/node /opt/node/bin/node /opt/nodejs/bin/node; do
    if [ -x "$candidate" ]; then
      node=$candidate
      break
    fi
  done
fi
[ -n "$node" ] || fail 'hostfactory-aws found no node: set HF_AWS_NODE to the node program (20.19 or later)'
[ "$node" = node ] || { [ -f "$node" ] && [ -x "$node" ]; } || fail 'hostfactory-aws cannot run the program that HF_AWS_NODE names'
[ -f "$home/dist/hf-aws.cjs" ] || fail 'hostfactory-aws is not built: run npm ci and npm run build in its folder, or install the package again'

# Not exec: when Node dies without an answer (out of memory, a bad NODE_OPTIONS, no Node at all), one is still owed. The
# program says by its exit status that it has answered: 10 for success, 11 for failure.
{ true 3<&0; } 2>/dev/null || exec </dev/null
exec 3<&0
# It may have work to do once its answer is out, which nobody is to wait for: then it says so by SIGUSR1.
trap 'exit 0' USR1
HF_AWS_LAUNCHER=$$ "$node" "$home/dist/hf-aws.cjs" "$operation" "$@" <&3 3<&- &
pid=$!
trap 'kill -TERM $pid 2>/dev/null' TERM INT HUP
wait $pid
code=$?
while kill -0 $pid 2>/dev/null; do
  wait $pid
  code=$?
done
case $code in
  10) exit 0 ;;
  11) exit 1 ;;
  *) fail "hostfactory-aws ended without an answer (exit status $code); the .err file in the log folder may say why" ;;
esac
