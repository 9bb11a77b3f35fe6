#!/usr/bin/env bash
# One command from a fresh clone.
#
#   ./setup.sh run     install what is missing, build, install a small model, ask it a question
#   ./setup.sh test    build and run every test; with names (lint unit python web e2e asan), those
#   ./setup.sh build   install what is missing and build build/release
#   ./setup.sh deps    only what is missing: system packages, .tools/
#
# Run again, each is quick and changes nothing that is right.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# shellcheck source=scripts/lib.sh
source scripts/lib.sh
# shellcheck source=scripts/dependencies.sh
source scripts/dependencies.sh
# shellcheck source=scripts/build.sh
source scripts/build.sh

usage() { sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

main() {
  case "${1:-}" in
    run)
      # shellcheck source=scripts/sample.sh
      source scripts/sample.sh
      ensure_packages build
      ensure_tools
      build release
      run_sample
      ;;
    build)
      ensure_packages build
      ensure_tools
      build release
      ;;
    test)
      # shellcheck source=scripts/test.sh
      source scripts/test.sh
      ensure_packages 'build|test'
      ensure_tools
      run_tests "${@:2}"
      ;;
    deps)
      ensure_packages 'build|test'
      ensure_tools
      ;;
    -h | --help | help) usage ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
}

main "$@"
