# Sourced by the five scripts, with $operation and $here set and signals answered. Plain sh; what waits for a disk or a network
# is in processes of its own, so that this one hears signals.
# HF_AWS_NODE names the Node to use; else the one on PATH, else one in the usual places.

umask 077

# Host Factory reads this and nothing else. The text must need no JSON escapes.
fail() {
  printf '{"message":"%s"}\n' "$1"
  exit 1
}

# Nobody could read an answer.
{ true 4>&1; } 2>/dev/null || exit 1
exec 2>/dev/null

# The folder above the real scripts folder: the shell follows links there, Node would not.
started_in=$PWD
cd -P "$here/.." || fail 'hostfactory-aws cannot enter its own folder'
home=$PWD
cd "$started_in" || :

node=
if [ -n "${HF_AWS_NODE:-}" ]; then
  node=$HF_AWS_NODE
elif command -v node >/dev/null; then
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

# What goes to stderr belongs in a file of the log folder: Host Factory never sees it. Others may be able to write there.
log=${HF_PROVIDER_LOGDIR:-${HF_LOGDIR:-${PRO_LSF_LOGDIR:-}}}
work=${HF_PROVIDER_WORKDIR:-${HF_WORKDIR:-}}
case ${HF_PROVIDER_NAME:-${PROVIDER_NAME:-awsinst}} in
  */*) errors=$log/provider.err ;;
  *) errors=$log/${HF_PROVIDER_NAME:-${PROVIDER_NAME:-awsinst}}-provider.err ;;
esac
# What another user than that of the work folder makes there would be closed to that one.
may_append() {
  { [ ! -d "$work" ] || [ -O "$work" ]; } && [ -d "$log" ] && [ ! -h "$errors" ] && { [ -f "$errors" ] || [ ! -e "$errors" ]; } && true 2>>"$errors"
}

# A here-document is a pipe, or a file without a name, that takes no process to make. Node writes on it: "a" before its
# answer, "0" after the answer of a call that succeeded, and a line of seconds when calls have another time than the usual.
notes=
{ command exec 4<<line && read -r notes <&4 && command exec 5>>/dev/fd/4; } || notes=
yes
line
[ -n "$notes" ] || exec 4</dev/null 5>/dev/null

# Has this process hear SIGALRM in so many seconds, unless Node has ended: by then Node hangs, on a file server for instance.
watch() {
  (
    over=
    trap 'over=yes' VTALRM
    PATH="$PATH:/usr/bin:/bin" sleep "$1" &
    sleeper=$!
    trap 'kill "$sleeper"' VTALRM
    [ -z "$over" ] || kill "$sleeper"
    wait "$sleeper" || { wait "$sleeper"; exit; }
    read -r state <"/proc/$pid/stat" || exit
    # <pid> (<name>) <state> <parent> ...
    set -- ${state##*) }
    [ "$2" != $$ ] || kill -ALRM $$
  ) <&- >&- 3<&- 4<&- 5>&- &
  watchdog=$!
}
# By a signal that this process does not trap: a new process would lose one, taken before it has put its own traps in place.
unwatch() {
  [ -z "$watchdog" ] || { kill -VTALRM "$watchdog" && wait "$watchdog"; }
}
rewatch() {
  unwatch
  watch "$1"
}
stop() {
  [ -z "$stopping" ] || return
  stopping=yes
  kill -TERM "$pid"
  rewatch 1
}

{ true 3<&0; } || exec </dev/null
exec 3<&0
pid= watchdog= stopped= stopping= late=
trap 'stopped=yes; [ -z "$watchdog" ] || stop' TERM INT HUP
trap 'late=yes; kill -KILL "$pid"' ALRM
# Node may have work to do once its answer is out, which nobody is to wait for.
trap 'unwatch; exit 0' USR1
trap 'read -r seconds <&4 && [ -z "$stopping" ] && rewatch "$seconds"' USR2
# Not exec: when Node dies without an answer (out of memory, a bad NODE_OPTIONS, no Node at all), one is still owed. The
# program says by its exit status that it has answered: 10 for success, 11 for failure.
{
  may_append && exec 2>>"$errors"
  export HF_AWS_LAUNCHER=$$ HF_AWS_NOTES="$notes"
  exec "$node" "$home/dist/hf-aws.cjs" "$operation" "$@" <&3 3>&5 4<&- 5>&-
} &
pid=$!
# A call has 192 seconds unless it is configured otherwise.
watch 193
[ -z "$stopped" ] || stop
while :; do
  wait "$pid"
  code=$?
  [ -z "$late" ] || break
  kill -0 "$pid" || break
done
unwatch

case $code in
  10) exit 0 ;;
  11) exit 1 ;;
esac
# Killed, a process may run on for a moment.
[ -z "$late" ] || PATH="$PATH:/usr/bin:/bin" sleep 0.1
echo >&5
read -r notes <&4
case $notes in
  a0) exit 0 ;;
  a) exit 1 ;;
esac
[ -z "$stopped" ] || fail 'the call was ended by a signal'
[ -z "$late" ] || fail 'the time of the call was used up: something it waits for does not answer, a file server for instance'
fail "hostfactory-aws ended without an answer (exit status $code); the .err file in the log folder may say why"
