# Sourced by the five scripts, with $operation and $here set and signals answered. Plain sh; what waits for a disk or a network
# is in processes of its own, so that this one hears signals.
# HF_AWS_NODE names the Node to use; else the one on PATH, else one in the usual places.

umask 077
# Else a signal does not end its reads.
[ -z "${BASH_VERSION:-}" ] || set -o posix

# Host Factory reads this and nothing else. The text must need no JSON escapes.
fail() {
  printf '{"message":"%s"}\n' "$1"
  exit 1
}

late_text='the time of the call was used up: something it waits for does not answer, a file server for instance'

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
# What another user than the scripts' makes there would be closed to that one. A folder of a group's is theirs who made the store in it.
may_append() {
  made=$work/store-id
  [ -e "$made" ] || made=$work
  { [ ! -e "$made" ] || [ -O "$made" ]; } && [ -d "$log" ] && [ ! -h "$errors" ] && { [ -f "$errors" ] || [ ! -e "$errors" ]; } && true 2>>"$errors"
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

# Where `hf-aws serve` answers calls, by pipes in a folder that it names in the work folder: nobody else's, and with this installation, configuration and
# environment, which the server compares. A call that is not taken, this script does itself.
conf=${HF_PROVIDER_CONFDIR:-${HF_CONFDIR:+$HF_CONFDIR/providers/$name}}
conf=${conf:-${PRO_CONF_DIR:-}}
newline='
'
# Names the call at the server, where it is asked, and to Node where no answer came from there.
id= input= door= pipe= status= heard= sent= over=
# Whether there is a server for this call.
find_server() {
  [ "${HF_AWS_SERVER:-}" != off ] && read -r limit door <"$work/server.calls" || return
  [ -O "$door" ] && [ -p "$door/calls" ] || return
  case $#:${1:-} in
    0:) [ ! -t 0 ] && input='standard input' || return ;;
    2:-f | 2:--file) [ "$2" != - ] && [ -f "$2" ] && [ -r "$2" ] && input=$2 || return ;;
    2:--data) input=--data ;;
    *) return 1 ;;
  esac
  # Not what decides on credentials, but which of them are meant; secrets are no part of it.
  told="|${TZ+TZ=$TZ|}${NODE_OPTIONS+NODE_OPTIONS=$NODE_OPTIONS|}${NODE_EXTRA_CA_CERTS+NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS|}"
  told="$told${NODE_TLS_REJECT_UNAUTHORIZED+NODE_TLS_REJECT_UNAUTHORIZED=$NODE_TLS_REJECT_UNAUTHORIZED|}"
  told="$told${SSL_CERT_FILE+SSL_CERT_FILE=$SSL_CERT_FILE|}${SSL_CERT_DIR+SSL_CERT_DIR=$SSL_CERT_DIR|}"
  told="$told${NO_PROXY+NO_PROXY=$NO_PROXY|}${no_proxy+no_proxy=$no_proxy|}"
  told="$told${AWS_REGION+AWS_REGION=$AWS_REGION|}${AWS_DEFAULT_REGION+AWS_DEFAULT_REGION=$AWS_DEFAULT_REGION|}"
  told="$told${AWS_PROFILE+AWS_PROFILE=$AWS_PROFILE|}${AWS_ACCESS_KEY_ID+AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID|}"
  told="$told${AWS_CONFIG_FILE+AWS_CONFIG_FILE=$AWS_CONFIG_FILE|}"
  told="$told${AWS_SHARED_CREDENTIALS_FILE+AWS_SHARED_CREDENTIALS_FILE=$AWS_SHARED_CREDENTIALS_FILE|}"
  told="$told${AWS_ROLE_ARN+AWS_ROLE_ARN=$AWS_ROLE_ARN|}"
  told="$told${AWS_WEB_IDENTITY_TOKEN_FILE+AWS_WEB_IDENTITY_TOKEN_FILE=$AWS_WEB_IDENTITY_TOKEN_FILE|}"
  told="$told${AWS_CONTAINER_CREDENTIALS_FULL_URI+AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_CONTAINER_CREDENTIALS_FULL_URI|}"
  told="$told${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI+AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI|}"
  told="$told${AWS_EC2_METADATA_DISABLED+AWS_EC2_METADATA_DISABLED=$AWS_EC2_METADATA_DISABLED|}"
  told="$told${AWS_IGNORE_CONFIGURED_ENDPOINT_URLS+AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=$AWS_IGNORE_CONFIGURED_ENDPOINT_URLS|}"
  told="$told${AWS_ENDPOINT_URL+AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL|}${AWS_ENDPOINT_URL_EC2+AWS_ENDPOINT_URL_EC2=$AWS_ENDPOINT_URL_EC2|}"
  told="$told${AWS_ENDPOINT_URL_AUTO_SCALING+AWS_ENDPOINT_URL_AUTO_SCALING=$AWS_ENDPOINT_URL_AUTO_SCALING|}"
  told="$told${AWS_ENDPOINT_URL_SSM+AWS_ENDPOINT_URL_SSM=$AWS_ENDPOINT_URL_SSM|}"
  told="$told${AWS_ENDPOINT_URL_STS+AWS_ENDPOINT_URL_STS=$AWS_ENDPOINT_URL_STS|}"
  told="$told${AWS_ENDPOINT_URL_SERVICE_QUOTAS+AWS_ENDPOINT_URL_SERVICE_QUOTAS=$AWS_ENDPOINT_URL_SERVICE_QUOTAS|}"
  told="$told${AWS_USE_FIPS_ENDPOINT+AWS_USE_FIPS_ENDPOINT=$AWS_USE_FIPS_ENDPOINT|}"
  told="$told${AWS_USE_DUALSTACK_ENDPOINT+AWS_USE_DUALSTACK_ENDPOINT=$AWS_USE_DUALSTACK_ENDPOINT|}"
  told="$told${OTEL_EXPORTER_OTLP_ENDPOINT+OTEL_EXPORTER_OTLP_ENDPOINT=$OTEL_EXPORTER_OTLP_ENDPOINT|}"
  told="$told${OTEL_EXPORTER_OTLP_TRACES_ENDPOINT+OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=$OTEL_EXPORTER_OTLP_TRACES_ENDPOINT|}"
  told="$told${OTEL_TRACES_EXPORTER+OTEL_TRACES_EXPORTER=$OTEL_TRACES_EXPORTER|}${OTEL_SDK_DISABLED+OTEL_SDK_DISABLED=$OTEL_SDK_DISABLED|}"
  told="$told${HF_AWS_NODE+HF_AWS_NODE=$HF_AWS_NODE|}"
  # In what is handed over a line is a line.
  case $told$home$conf$log$name$input${HOME:-}${HF_LOGLEVEL:-}${HF_LOG_MAX_FILE_SIZE:-}${HF_LOG_MAX_ROTATE:-} in *"$newline"*) return 1 ;; esac
  read -r id </proc/sys/kernel/random/uuid
}

# Opens the way in. While a pipe is open here at both ends nothing waits for the server; where it is not there, the write fails.
open_calls() {
  command exec 6<>"$door/calls" && command exec 7>"$door/calls" && command exec 6>&- && printf '\n' >&7
}
# Takes one of the pipes that lie ready, by writing down the call under its name, which only one script can.
take_pipe() {
  set -C
  for each in "$door"/*[0-9]; do
    [ -p "$each" ] && printf '%s\n' "$operation" "$id" $$ "$home" "$name" "$conf" "$log" \
      "${HF_LOGLEVEL:-}|${HF_LOG_MAX_FILE_SIZE:-}|${HF_LOG_MAX_ROTATE:-}" "${HOME:-}" "$told" "$input" >"$each.call" && pipe=$each && break
  done
  set +C
  [ -n "$pipe" ] && command exec 6<>"$pipe" && command exec 9<"$pipe" && command exec 6>&-
}
# The input as descriptor 8. What is in no file is put into one: the server may have read it when it dies.
open_input() {
  case $input in
    'standard input')
      # It may never come.
      watch "$limit"
      PATH="$PATH:/usr/bin:/bin" cat <&3 >"$pipe.input" &
      reader=$!
      while heard= && ! wait "$reader"; do
        [ -z "$stopped$late" ] || { kill "$reader" && return 1; }
        [ -n "$heard" ] || break
      done
      command exec 3<"$pipe.input" && command exec 8<"$pipe.input"
      ;;
    --data) printf %s "$2" >"$pipe.input" && command exec 8<"$pipe.input" ;;
    *) command exec 8<"$input" ;;
  esac
}
tell_stop() {
  printf '%s stop\n' "${pipe##*/}" >&7
  rewatch 1.0
}
# Reads the answer. Most are there in milliseconds: only after two seconds without one is a watchdog worth its processes.
read_soon() {
  soon=2 whole=${limit%.*}
  if [ "$whole" -le "$soon" ]; then
    soon=0
  elif read -t 1 -r status </dev/null; [ $? = 1 ]; then
    read -t "$soon" -r status <&9
  else
    # A shell whose reads have no end (2: it knows no -t) is woken by a process that has one.
    trap 'heard=yes' CHLD
    PATH="$PATH:/usr/bin:/bin" sleep "$soon" <&- >&- 3<&- 4<&- 5>&- 7>&- 8<&- 9<&- &
    nap=$!
    read -r status <&9
    kill -KILL "$nap"
    trap - CHLD
  fi
  # A signal may have started one.
  [ -n "$status$watchdog" ] || watch "$((whole - soon)).${limit#*.}"
}
# Puts out the server's answer and ends. Returns where there is none, with the call's id where the server may know it.
ask_server() {
  trap 'heard=yes; [ -n "$stopped" ] || { stopped=yes; [ -z "$sent" ] || tell_stop; }' TERM INT HUP
  trap 'heard=yes late=yes' ALRM
  # Wakes a read or a wait that a signal came too early for: by then its trap is due.
  trap heard=yes WINCH
  # A write that nobody reads fails, and does not end this.
  trap '' PIPE
  if open_calls && take_pipe && open_input "$@" && [ -z "$stopped" ] && printf '%s\n' "${pipe##*/}" >&7; then
    sent=yes
    [ -z "$stopped" ] || tell_stop
    [ -n "$watchdog" ] || read_soon
    # A signal ends a read before its time.
    while heard= && [ -z "$status" ] && ! read -r status <&9; do
      [ -n "$heard" ] && [ -z "$late" ] || break
    done
    case $status in
      0 | 1)
        # The reader may be slow: nothing ends this now.
        trap '' TERM INT HUP ALRM
        if [ -O "$door/answers/${pipe##*/}" ] && command . "$door/answers/${pipe##*/}"; then
          printf '%s\n' "$answer" || status=1
          unwatch
          exit "$status"
        fi
        ;;
      -) id= ;;
    esac
  else
    # Nothing was begun.
    id=
    over=$stopped
  fi
  unwatch
  watchdog=
  [ -z "$late$over" ] || [ -z "$stopped" ] || fail 'the call was ended by a signal'
  [ -z "$late" ] || fail "$late_text"
  trap - PIPE WINCH
  exec 6>&- 7>&- 8<&- 9<&-
}

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
# server for instance. Looks every five seconds whether there is still anybody to hear it, and wakes it.
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
      read -r state </proc/self/stat || exit
      # <pid> (<name>) <state> <parent> ...
      set -- ${state##*) }
      [ "$2" = $$ ] || exit
      if [ "$fives" -gt 0 ]; then
        kill -WINCH $$
        next=5 fives=$((fives - 1))
      else
        # Until it is heard: a signal that comes just before a read does not end it.
        kill -ALRM $$
        next=1
      fi
    done
  ) <&- >&- 3<&- 4<&- 5>&- 7>&- 8<&- 9<&- &
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
  take_notes
  signal -TERM
  rewatch 1.0
}
hurry() {
  take_notes
  [ -n "$stopping" ] || [ -z "$seconds" ] || rewatch "$seconds"
}

{ true 3<&0; } || exec </dev/null
exec 3<&0
pid= watchdog= started= stopped= stopping= late=
! find_server "$@" || ask_server "$@"
trap 'stopped=yes; [ -z "$started" ] || stop' TERM INT HUP
trap 'late=yes; signal -KILL; kill -KILL "$pid"' ALRM
# Node may have work to do once its answer is out, which nobody is to wait for.
trap 'unwatch; exit 0' USR1
trap hurry USR2
# Keeps Node from reading all certificates that it trusts where AWS needs five: see src/providers/aws/wire/trust.ts. Not where Node is
# told whom to trust, or something else speaks TLS in its process.
trust=
[ -n "${NODE_OPTIONS:-}${NODE_EXTRA_CA_CERTS:-}${OTEL_EXPORTER_OTLP_ENDPOINT:-}${OTEL_EXPORTER_OTLP_TRACES_ENDPOINT:-}${OTEL_TRACES_EXPORTER:-}" ] || trust=--use-openssl-ca
# Not exec: when Node dies without an answer (out of memory, a bad NODE_OPTIONS, no Node at all), one is still owed. The
# program says by its exit status that it has answered: 10 for success, 11 for failure.
{
  may_append && exec 2>>"$errors"
  [ -z "$id" ] || export HF_AWS_CALL_ID="$id"
  export HF_AWS_LAUNCHER=$$ HF_AWS_NOTES="$notes" HF_AWS_ROOTS="${trust:+amazon}"
  exec "$node" $trust "$home/dist/hf-aws.cjs" "$operation" "$@" <&3 3>&5 4<&- 5>&-
} &
pid=$!
# A call has 192 seconds unless it is configured otherwise.
watch 193.0
started=yes
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
[ -z "$late" ] || fail "$late_text"
fail "hostfactory-aws ended without an answer (exit status $code); the .err file in the log folder may say why"
