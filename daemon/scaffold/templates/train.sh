#!/bin/sh
# Fine-tunes this model.
echo "train.sh: this version of llmd cannot train models yet" >&2
exit 3
