#!/bin/sh
# Serves this model with a page to try it in the browser.
#   scripts/serve_ui.sh [--host ADDRESS] [--port PORT]
set -eu
self=$0
case $self in */*) ;; *) self=./$self ;; esac
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=${self%/*}/$target ;; esac
done
exec "${self%/*}/serve_api.sh" --ui "$@"
