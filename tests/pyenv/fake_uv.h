// FakeUv: answers the commands that the builder gives, with the same traces on disk as uv: a lock,
// a folder with bin/python, installed packages. For FakeProcessLauncher.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/fakes/fake_process_launcher.h"

namespace llmd::testing {

// Thrown instead of an answer: the daemon was killed at this command.
struct Killed {};

class FakeUv {
 public:
  static constexpr char kPython[] = "/opt/python/bin/python3";

  // What the next calls of a command answer instead, by the words that begin it ("pip compile").
  std::map<std::string, std::function<StatusOr<FakeRun>(const platform::ProcessSpec&)>> instead;
  int kill_at = -1;  // throw Killed at this command, counted from 0
  std::string python_version = "3.12.1";
  std::vector<std::string> commands;  // "pip compile", "smoke", "ask", in order

  StatusOr<FakeRun> Run(const platform::ProcessSpec& spec, const CancelToken&) {
    const std::string command = CommandOf(spec);
    commands.push_back(command);
    const bool killed = static_cast<int>(commands.size()) - 1 == kill_at;
    if (killed && command == "pip sync") (void)Install(spec, "half");
    if (killed) throw Killed();
    if (const auto other = instead.find(command); other != instead.end()) {
      const auto answer = other->second;  // which may take itself away
      return answer(spec);
    }
    return Answer(command, spec);
  }

  int Count(const std::string& command) const {
    return static_cast<int>(std::ranges::count(commands, command));
  }

  StatusOr<FakeRun> Answer(const std::string& command, const platform::ProcessSpec& spec) {
    if (command == "--version") return Printed({"uv 0.13.9 (x86_64-unknown-linux-gnu)"});
    if (command == "python find") return Printed({"warning: something", kPython});
    if (command == "ask") {
      return Printed({"llmd-python " + python_version + " cpython linux-x86_64"});
    }
    if (command == "pip compile") return Compile(spec);
    if (command == "venv") {
      std::filesystem::create_directories(std::filesystem::path(spec.arguments.back()) / "bin");
      return FakeRun{};
    }
    if (command == "pip sync") return Install(spec, "packages");
    if (command == "pip install") return Install(spec, "agent");
    return FakeRun{};  // pip check, smoke
  }

  static std::string Argument(const platform::ProcessSpec& spec, const std::string& flag) {
    const auto at = std::ranges::find(spec.arguments, flag);
    return at == spec.arguments.end() || std::next(at) == spec.arguments.end() ? ""
                                                                               : *std::next(at);
  }

 private:
  static FakeRun Printed(std::vector<std::string> lines) {
    return {.lines = std::move(lines), .exit = {}};
  }

  static std::string CommandOf(const platform::ProcessSpec& spec) {
    if (spec.program.filename() != "uv") return spec.arguments[0] == "-I" ? "ask" : "smoke";
    const std::string& first = spec.arguments[0];
    return first == "pip" || first == "python" ? first + " " + spec.arguments[1] : first;
  }

  // "Resolves" each requirement to version 1.
  static StatusOr<FakeRun> Compile(const platform::ProcessSpec& spec) {
    std::ofstream lock(Argument(spec, "--output-file"));
    for (const std::string& argument : spec.arguments) {
      if (!argument.ends_with("requirements.txt")) continue;
      std::ifstream requirements(spec.folder / argument);
      for (std::string line; std::getline(requirements, line);) {
        if (!line.empty() && line[0] != '#') lock << line << "==1 \\\n    --hash=sha256:00\n";
      }
    }
    return FakeRun{};
  }

  static StatusOr<FakeRun> Install(const platform::ProcessSpec& spec, const char* file) {
    const auto bin = std::filesystem::path(Argument(spec, "--python")).parent_path();
    std::ofstream(bin / "python") << "#!/bin/sh\n";
    std::ofstream(bin.parent_path() / file) << "installed\n";
    return FakeRun{};
  }
};

}  // namespace llmd::testing
