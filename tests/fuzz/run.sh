#!/usr/bin/env bash
# Builds the fuzz targets with clang and runs each for a while.
#
#   tests/fuzz/run.sh [SECONDS] [TARGET...]     60 seconds each of gguf, safetensors, rule, config
#
# New inputs are kept in build/fuzz/corpus/<target>; an input that fails is named in the output:
# copy it into seeds/<target> with the fix. Needs clang++ with libFuzzer (Debian: clang).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${1:-60}
shift || true
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(gguf safetensors rule config)
build=$root/build/fuzz

cmake -S "$root" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ \
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1 -fsanitize=fuzzer-no-link" \
  -DLLMD_SANITIZE=address,undefined -DLLMD_FUZZ=ON >/dev/null
ninja -C "$build" "${targets[@]/#/fuzz_}" >/dev/null

for target in "${targets[@]}"; do
  corpus=$build/corpus/$target
  mkdir -p "$corpus"
  echo "== $target: $seconds s"
  (cd "$build/corpus" && "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=5 \
    -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 "$corpus" "$root/tests/fuzz/seeds/$target")
done
