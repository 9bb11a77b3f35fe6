#!/bin/sh
# Quantizes this model to FP8 with NVIDIA's ModelOpt, for serve_tensorrt.sh: into model-fp8/.
#   scripts/optimize_model.sh SAMPLES.txt
# SAMPLES.txt holds some hundred lines of text such as the model will see: it calibrates with them.
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

[ $# -eq 1 ] ||
  missing "a file of sample texts is wanted" "usage: scripts/optimize_model.sh SAMPLES.txt"
[ -r "$1" ] || missing "cannot read $1" "Give a text file with one sample on each line."
command -v nvidia-smi >/dev/null 2>&1 ||
  missing "no NVIDIA driver was found (nvidia-smi is not in PATH)" \
    "FP8 needs Linux and an NVIDIA GPU of the Ada or Hopper generation or newer."
python=${MODELOPT_PYTHON:-python3}
"$python" -c 'import modelopt.torch.quantization, transformers' >/dev/null 2>&1 ||
  missing "$python has no ModelOpt" \
    "Install nvidia-modelopt and transformers in an environment of their own, then name its Python:
  MODELOPT_PYTHON=/path/to/bin/python scripts/optimize_model.sh SAMPLES.txt"

exec "$python" - "$folder/model" "$folder/model-fp8" "$1" <<'PYTHON'
import os
import shutil
import sys

import modelopt.torch.quantization as quantization
import torch
from modelopt.torch.export import export_hf_checkpoint
from transformers import AutoModelForCausalLM, AutoTokenizer

source, target, samples = sys.argv[1:]
if not torch.cuda.is_available() or torch.cuda.get_device_capability() < (8, 9):
    sys.exit("error: FP8 needs a GPU of compute capability 8.9 or higher")
with open(samples, encoding="utf-8") as lines:
    texts = [line.strip() for line in lines if line.strip()]
if not texts:
    sys.exit("error: " + samples + " holds no text")
tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
model = AutoModelForCausalLM.from_pretrained(
    source, dtype="auto", device_map="cuda", local_files_only=True
)


def calibrate(model):
    for text in texts:
        tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=2048)
        model(**tokens.to("cuda"))


shutil.rmtree(target + ".new", ignore_errors=True)
shutil.rmtree(target + ".old", ignore_errors=True)
with torch.inference_mode():
    model = quantization.quantize(model, quantization.FP8_DEFAULT_CFG, forward_loop=calibrate)
    # Beside, then in place: what stands in model-fp8 is whole.
    export_hf_checkpoint(model, export_dir=target + ".new")
tokenizer.save_pretrained(target + ".new")
if os.path.exists(target):
    os.rename(target, target + ".old")
os.rename(target + ".new", target)
print("wrote " + target)
PYTHON
