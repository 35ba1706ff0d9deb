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
name=${HF_PROVIDER_NAME:-${PROVIDER_NAME:-awsinst}}
work=${HF_PROVIDER_WORKDIR:-${HF_WORKDIR:+$HF_WORKDIR/providers/$name}}
work=${work:-${PRO_DATA_DIR:-}}
log=${HF_PROVIDER_LOGDIR:-${HF_LOGDIR:-${PRO_LSF_LOGDIR:-${work:+$work/log}}}}
case $name in
  */*) errors=$log/provider.err ;;
  *) errors=$log/$name-provider.err ;;
esac
# What another user than that of the work folder makes there would be closed to that one.
may_append() {
  { [ ! -d "$work" ] || [ -O "$work" ]; } && [ -d "$log" ] && [ ! -h "$errors" ] && { [ -f "$errors" ] || [ ! -e "$errors" ]; } && true 2>>"$errors"
}

# A here-document is a pipe, or a file without a name, that takes no process to make. Node writes lines on it:
#   n<pid>      its own process, which a program around it may have started
#   t<seconds>  when calls have another time than the usual
#   a0 or a1    the exit status that goes with its answer, where the answer is out; the last one counts
# A short answer is noted first and put out by the next call of the system. A Node that is killed between the two has not
# answered, which nothing here can tell from a Node that is killed after them. It counts as answered: a second object could
# not be read, and an answer that is out must not be called a failure, for its id would be lost.
notes=
{ command exec 4<<line && read -r notes <&4 && command exec 5>>/dev/fd/4; } || notes=
yes
line
[ -n "$notes" ] || exec 4</dev/null 5>/dev/null

main= seconds= answered= line=
take_notes() {
  # A signal may come in the middle and take notes itself.
  set -- "$line"
  # With a line to stop at, no read waits.
  echo >&5
  while read -r line <&4 && [ -n "$line" ]; do
    case $line in
      n*) main=${line#n} ;;
      t*) seconds=${line#t} ;;
      a*) answered=${line#a} ;;
    esac
  done
  line=$1
}

# Has this process hear SIGALRM in so many seconds (with a fraction), unless Node has ended: by then Node hangs, on a file
# server for instance. Looks every five seconds whether there is still anybody to hear it.
watch() {
  (
    over= sleeper= whole=${1%.*} fraction=${1#*.}
    trap 'over=yes; kill "$sleeper"' VTALRM
    next=$((whole % 5)).$fraction fives=$((whole / 5))
    while :; do
      PATH="$PATH:/usr/bin:/bin" sleep "$next" &
      sleeper=$!
      [ -z "$over" ] || kill "$sleeper"
      wait "$sleeper" || { wait "$sleeper"; exit; }
      sleeper=
      read -r state <"/proc/$pid/stat" || exit
      # <pid> (<name>) <state> <parent> ...
      set -- ${state##*) }
      [ "$2" = $$ ] || exit
      [ "$fives" -gt 0 ] || break
      next=5 fives=$((fives - 1))
    done
    kill -ALRM $$
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
# Not every program around Node passes signals on. Before Node has told its process, it is a child of that program.
signal() {
  take_notes
  children=
  [ -n "$main" ] || read -r children <"/proc/$pid/task/$pid/children"
  kill "$1" ${main:-"$pid"} $children
}
stop() {
  [ -z "$stopping" ] || return
  stopping=yes
  signal -TERM
  rewatch 1.0
}
hurry() {
  take_notes
  [ -n "$stopping" ] || [ -z "$seconds" ] || rewatch "$seconds"
}

{ true 3<&0; } || exec </dev/null
exec 3<&0
pid= watchdog= stopped= stopping= late=
trap 'stopped=yes; [ -z "$watchdog" ] || stop' TERM INT HUP
trap 'late=yes; signal -KILL; kill -KILL "$pid"' ALRM
# Node may have work to do once its answer is out, which nobody is to wait for.
trap 'unwatch; exit 0' USR1
trap hurry USR2
# Not exec: when Node dies without an answer (out of memory, a bad NODE_OPTIONS, no Node at all), one is still owed. The
# program says by its exit status that it has answered: 10 for success, 11 for failure.
{
  may_append && exec 2>>"$errors"
  export HF_AWS_LAUNCHER=$$ HF_AWS_NOTES="$notes"
  exec "$node" "$home/dist/hf-aws.cjs" "$operation" "$@" <&3 3>&5 4<&- 5>&-
} &
pid=$!
# A call has 192 seconds unless it is configured otherwise.
watch 193.0
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
nap() {
  PATH="$PATH:/usr/bin:/bin" sleep 0.1
}
# Killed, a process may run on for a moment.
[ -z "$late" ] || nap
take_notes
# The program around Node may have ended alone: Node has a second to answer.
if [ -z "$late" ] && [ -n "$main" ] && [ "$main" != "$pid" ] && kill -TERM "$main"; then
  naps=
  while [ "$naps" != .......... ] && kill -0 "$main"; do
    naps=$naps.
    nap
  done
  kill -KILL "$main" && nap
  take_notes
fi
[ -z "$answered" ] || exit "$answered"
[ -z "$stopped" ] || fail 'the call was ended by a signal'
[ -z "$late" ] || fail 'the time of the call was used up: something it waits for does not answer, a file server for instance'
fail "hostfactory-aws ended without an answer (exit status $code); the .err file in the log folder may say why"
