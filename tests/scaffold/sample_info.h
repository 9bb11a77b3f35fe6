// A ModelInfo with every field set, for tests.
#pragma once

#include <string>

#include "scaffold/scaffold.h"

namespace llmd::testing {

inline scaffold::ModelInfo SampleInfo() {
  scaffold::ModelInfo info;
  info.name = "org/model";
  info.folder_name = "org_model";
  info.profile.repo_id = "org/model";
  info.profile.kind = "llm";
  info.profile.architecture = "LlamaForCausalLM";
  info.launch.engine = "llama.cpp";
  info.launch.bind = "unix";
  info.launch.argv = {"{python}", "-m", "x", "{weights}"};
  info.launch.environment = {{"A", "b"}};
  info.launch.routes = {"POST /v1/chat/completions"};
  info.launch.weights = "model/a.gguf";
  info.launch.name = "org/model";
  info.launch.kind = "llm";
  info.launch.context = 4096;
  info.files = {{.path = "a.gguf", .size = 5, .sha256 = std::string(64, 'a'), .git_oid = ""},
                {.path = "sub/b.json", .size = 0, .sha256 = std::string(64, '0'), .git_oid = ""}};
  info.environment_hash = "hash";
  info.lock_sha256 = "lock";
  info.python_version = "3.12.1";
  info.agent_wheel_sha256 = "wheel";
  info.memory_bytes = int64_t{3} << 32;
  info.installed_at = *ParseTime("2026-01-31T12:00:00.123456Z");
  info.llmd_version = "0.1.0";
  return info;
}

// Text that breaks what is careless with quoting, and is valid UTF-8.
inline std::vector<std::string> HostileTexts() {
  return {"'",
          "\"",
          "$(touch pwned)",
          "`touch pwned`",
          "a\nb",
          "a\r\nb",
          "; rm -rf x",
          "&& true",
          "{{ x }}",
          "${HOME}",
          "%s%n",
          "\\",
          "\\n",
          "# no comment",
          "- item",
          "key: value",
          "&anchor *a",
          "!!python/none",
          "<<: *x",
          "\x1b[31m",
          "\x01\x7f",
          "\xE2\x80\xAE",
          "\xF0\x9F\x98\x80",
          "../../etc",
          "-rf",
          "null",
          "yes",
          "1e3",
          " lead",
          std::string("a\0b", 3),
          "</script>",
          std::string(10'000, 'x')};
}

}  // namespace llmd::testing
