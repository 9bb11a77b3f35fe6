# shellcheck shell=bash
# Configures and builds a preset: programs, agent wheel, dashboard.

# build PRESET [TARGET...]
build() {
  local preset="$1"
  shift
  export PATH="$tools/bin:$PATH"
  if [ ! -f "$root/build/$preset/build.ninja" ]; then
    say "Configuring build/$preset"
    cmake -S "$root" --preset "$preset" >"$root/build-$preset.log" 2>&1 || {
      cat "$root/build-$preset.log" >&2
      die "configuring failed"
    }
    rm -f "$root/build-$preset.log"
  fi
  say "Building build/$preset"
  cmake --build "$root/build/$preset" -j "$(jobs_count)" ${1:+--target "$@"} >&2
}
