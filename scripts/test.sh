# shellcheck shell=bash
# Every test, as CI runs them. `./setup.sh test` runs all of them, `./setup.sh test unit web` some.

# The parts that read bytes from outside, run once more under ASan and UBSan.
asan_suites=(base domain hub detectors http gateway)

in_tests() { (cd "$root" && PATH="$tools/bin:$PATH" "$tools/venv/bin/python" -m pytest "$@"); }

in_webui() { (cd "$root/webui" && PATH="$tools/bin:$PATH" npm "$@"); }

test_environment() {
  say "Making the test environment (.tools/venv)"
  "$root/tests/setup_env.sh"
}

test_lint() {
  test_environment
  say "Lint"
  (cd "$root" && "$tools/venv/bin/python" tests/lint/lint.py)
  (cd "$root" && "$tools/venv/bin/python" -m ruff check agent tests docs)
  (cd "$root/agent" && "$tools/venv/bin/python" -m mypy)
  in_webui ci --silent --no-audit --no-fund
  in_webui run --silent lint
}

test_unit() {
  build release all llmd_tests
  say "C++ unit tests"
  (cd "$root/build/release" && PATH="$tools/bin:$PATH" ctest --output-on-failure -j "$(jobs_count)")
}

test_asan() {
  build asan "${asan_suites[@]/#/llmd_tests_}"
  say "C++ unit tests under ASan and UBSan: ${asan_suites[*]}"
  local labels
  labels="$(IFS='|' && echo "${asan_suites[*]}")"
  (cd "$root/build/asan" &&
    PATH="$tools/bin:$PATH" ctest --output-on-failure -L "^($labels)\$" -j "$(jobs_count)")
}

test_python() {
  test_environment
  say "Python tests"
  in_tests tests/lint tests/support
  (cd "$root/agent" && "$tools/venv/bin/python" -m pytest)
}

test_web() {
  say "Web tests"
  in_webui ci --silent --no-audit --no-fund
  in_webui test --silent
}

test_e2e() {
  test_environment
  say "End-to-end tests"
  LLMD_BIN_DIR="$root/build/release/bin" in_tests tests/e2e
}

# run_tests [lint|unit|python|web|e2e|asan ...]
run_tests() {
  local suite suites=("$@")
  [ ${#suites[@]} -gt 0 ] || suites=(lint unit python web e2e asan)
  for suite in "${suites[@]}"; do
    declare -F "test_$suite" >/dev/null || die "there is no test suite '$suite'"
    "test_$suite"
  done
  say "All passed: ${suites[*]}"
}
