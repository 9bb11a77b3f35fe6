# shellcheck shell=bash
# Shared by setup.sh and the scripts beside this file.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
tools="$root/.tools"

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }
die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

jobs_count() { nproc 2>/dev/null || sysctl -n hw.ncpu; }
