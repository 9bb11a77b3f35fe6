#!/bin/sh
# Serves this model's HTTP API; what it takes stands in model_info.json and config.yaml.
#   scripts/serve_api.sh [--host ADDRESS] [--port PORT]
set -eu
self=$0
case $self in */*) ;; *) self=./$self ;; esac
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=${self%/*}/$target ;; esac
done
folder=$(CDPATH='' cd -P -- "${self%/*}/.." && pwd -P)
python=$folder/.venv/bin/python
if [ ! -x "$python" ]; then
  echo "error: there is no Python at $python" >&2
  echo "The environment, or the Python it was built from, is gone: install the model again." >&2
  exit 1
fi
# Only what is installed in the environment is imported, and nothing is fetched.
export PYTHONNOUSERSITE=1 PYTHONSAFEPATH=1
export HF_HUB_OFFLINE="${HF_HUB_OFFLINE:-1}" TRANSFORMERS_OFFLINE="${TRANSFORMERS_OFFLINE:-1}"
exec "$python" -m llm_agent serve --folder "$folder" "$@"
