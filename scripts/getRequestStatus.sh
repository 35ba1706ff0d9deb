#!/bin/sh
# Host Factory: how create and return requests stand. Usage: getRequestStatus.sh -f <file> | --data '<json>' | < <json>
trap 'echo "{\"message\":\"the call was ended by a signal\"}"; exit 1' TERM INT HUP
operation=getRequestStatus
case $0 in */*) self=$0 ;; *) self=./$0 ;; esac
while [ -h "$self" ]; do
  target=$(PATH="$PATH:/usr/bin:/bin" readlink "$self")
  case $target in /*) self=$target ;; *) self=${self%/*}/$target ;; esac
done
here=${self%/*}
. "$here/launcher.sh"
