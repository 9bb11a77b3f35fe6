#!/bin/sh
# Serves this model with TensorRT-LLM instead, where that is installed.
#   scripts/serve_tensorrt.sh [options of trtllm-serve]
set -eu
self=$0
case $self in */*) ;; *) self=./$self ;; esac
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=${self%/*}/$target ;; esac
done
folder=$(CDPATH='' cd -P -- "${self%/*}/.." && pwd -P)

missing() {
  echo "error: $1" >&2
  echo "$2" >&2
  exit 1
}

command -v nvidia-smi >/dev/null 2>&1 ||
  missing "no NVIDIA driver was found (nvidia-smi is not in PATH)" \
    "TensorRT-LLM needs Linux and an NVIDIA GPU of the Ampere generation or newer."
nvidia-smi -L 2>/dev/null | grep -q '^GPU ' ||
  missing "nvidia-smi names no GPU" \
    "TensorRT-LLM needs an NVIDIA GPU of the Ampere generation or newer."
serve=$(command -v trtllm-serve) ||
  missing "trtllm-serve is not in PATH" \
    "Install NVIDIA's TensorRT-LLM in an environment of its own, or run this in its container."

model=$folder/model
# What optimize_model.sh made.
if [ -d "$folder/model-fp8" ]; then model=$folder/model-fp8; fi
export HF_HUB_OFFLINE="${HF_HUB_OFFLINE:-1}" TRANSFORMERS_OFFLINE="${TRANSFORMERS_OFFLINE:-1}"
exec "$serve" "$model" --backend pytorch --host 127.0.0.1 --port "${PORT:-8000}" "$@"
