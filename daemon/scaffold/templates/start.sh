#!/bin/sh
# Serves this model, with or without llmd, from wherever the folder lies.
#   ./start.sh [--host ADDRESS] [--port PORT] [--ui]
set -eu
self=$0
case $self in */*) ;; *) self=./$self ;; esac
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=${self%/*}/$target ;; esac
done
folder=$(CDPATH='' cd -P -- "${self%/*}/" && pwd -P)
exec "$folder/scripts/serve_api.sh" "$@"
