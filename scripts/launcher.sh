# Sourced by the five scripts, with $operation and $here set and signals answered. Plain sh; what waits for a disk or a network
# is in processes of its own, so that this one hears signals.
# HF_AWS_NODE names the Node to use; else the one on PATH, else one in the usual places.

umask 077

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

# Where `hf-aws serve` answers calls, by the socket in the work folder: nobody else's, and with this installation, configuration and
# environment, which the server compares. Whatever is not plain, this script does itself.
conf=${HF_PROVIDER_CONFDIR:-${HF_CONFDIR:+$HF_CONFDIR/providers/$name}}
conf=${conf:-${PRO_CONF_DIR:-}}
socket=$work/server.sock
# Names the call at the server, where it is asked.
id=
find_server() {
  [ "${HF_AWS_SERVER:-}" != off ] && [ -n "$notes" ] && [ -S "$socket" ] && [ -O "$socket" ] || return
  # Seconds that a call has there.
  read -r limit <"$work/server.limit" || return
  case $#:${1:-} in
    0:) [ ! -t 0 ] || return ;;
    2:-f | 2:--file) [ "$2" != - ] && [ -f "$2" ] && [ -r "$2" ] && input=$2 || return ;;
    2:--data) input=--data ;;
    *) return ;;
  esac
  if [ -x /usr/bin/curl ]; then curl=/usr/bin/curl; else command -v curl && curl=curl || return; fi >/dev/null
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
  # In the head of a message a line is a line.
  case $told$home$conf$log$name${input:-}${HOME:-} in *"$newline"*) return ;; esac
  read -r id </proc/sys/kernel/random/uuid || id=
}
newline='
' input=
find_server "$@"

# Puts out the server's answer and ends. Returns where the server is not to be asked, with the call's id where it may know it.
ask_server() {
  set -- "$@" -q -s --noproxy '*' --max-time "$limit" --unix-socket "$socket" -w '%{http_code}' -H "call: $id" -H "home: $home" \
    -H "provider: $name" -H "conf: $conf" -H "log: $log" -H "logging: ${HF_LOGLEVEL:-}|${HF_LOG_MAX_FILE_SIZE:-}|${HF_LOG_MAX_ROTATE:-}" \
    -H "user: ${HOME:-}" -H "environment: $told" -H "input: ${input:-standard input}" -H Expect: -H Content-Type: "http://localhost/$operation"
  case $input in
    '')
      given=$(PATH="$PATH:/usr/bin:/bin" cat <&3 && echo .)
      exec 3<<text
${given%.}
text
      answer=$(printf %s "${given%.}" | exec "$curl" "$@" --data-binary @-)
      ;;
    --data)
      shift
      given=$1
      shift
      answer=$(exec "$curl" "$@" --data-raw "$given")
      ;;
    *)
      shift 2
      answer=$(exec "$curl" "$@" --data-binary "@$input")
      ;;
  esac
  failure=$?
  case $failure$answer in
    # The reader may be slow: nothing ends this now.
    0*200) trap '' TERM INT HUP && printf %s "${answer%???}" && exit 10 || exit 12 ;;
    0*422) trap '' TERM INT HUP && printf %s "${answer%???}" && exit 11 || exit 12 ;;
    # Nobody was there; or it was not taken.
    7* | 0*421) id= ;;
    28*)
      printf '{"message":"%s"}\n' "$late_text"
      exit 11
      ;;
  esac
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
  take_notes
  if [ -z "$id" ] || [ -n "$seconds" ]; then
    signal -TERM
  else
    # The server answers with what the call has come to.
    "$curl" -q -s --noproxy '*' --max-time 1 --unix-socket "$socket" -X DELETE "http://localhost/$id" </dev/null >/dev/null 3<&- 4<&- 5>&- &
  fi
  rewatch 1.0
}
hurry() {
  take_notes
  [ -n "$stopping" ] || [ -z "$seconds" ] || rewatch "$seconds"
}

{ true 3<&0; } || exec </dev/null
exec 3<&0
pid= watchdog= started= stopped= stopping= late=
trap 'stopped=yes; [ -z "$started" ] || stop' TERM INT HUP
trap 'late=yes; signal -KILL; kill -KILL "$pid"' ALRM
# Node may have work to do once its answer is out, which nobody is to wait for.
trap 'unwatch; exit 0' USR1
trap hurry USR2
# Not exec: when Node dies without an answer (out of memory, a bad NODE_OPTIONS, no Node at all), one is still owed. The
# program says by its exit status that it has answered: 10 for success, 11 for failure.
{
  if [ -n "$id" ]; then
    ask_server "$@"
    # From now on somebody must watch over it.
    echo t193.0 >&5
    kill -USR2 $$
    [ -z "$id" ] || export HF_AWS_CALL_ID="$id"
  fi
  may_append && exec 2>>"$errors"
  export HF_AWS_LAUNCHER=$$ HF_AWS_NOTES="$notes"
  exec "$node" "$home/dist/hf-aws.cjs" "$operation" "$@" <&3 3>&5 4<&- 5>&-
} &
pid=$!
# A call has 192 seconds unless it is configured otherwise. At the server it is watched over there, once its input has come.
[ -n "$id" ] && [ -n "$input" ] || watch 193.0
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
