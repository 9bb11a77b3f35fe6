#include "pyenv/uv_program.h"

#include <unistd.h>

#include <string_view>

#include "platform/paths.h"
#include "pyenv/redact.h"
#include "pyenv/uv_error.h"

namespace llmd::pyenv {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostLines = 500;

bool IsProgram(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

std::optional<fs::path> FindInPath(const std::string& name, const Variables& environment) {
  const auto variable = environment.find("PATH");
  if (variable == environment.end()) return std::nullopt;
  std::string_view path = variable->second;
  while (!path.empty()) {
    const size_t end = path.find(':');
    const fs::path candidate = fs::path(path.substr(0, end)) / name;
    if (candidate.is_absolute() && IsProgram(candidate)) return candidate;
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
  }
  return std::nullopt;
}

Status Missing(const std::string& what) {
  return MakeStatus(StatusCode::kFailedPrecondition, what,
                    {.code = "uv_missing",
                     .next_step = "Install it (python3 -m pip install uv), or name its path: "
                                  "LLMD_UV, or python.uv in llmd.yaml."});
}

}  // namespace

StatusOr<fs::path> FindUv(const EnvBuilderOptions& options) {
  std::string chosen = options.uv;
  const auto variable = options.environment.find("LLMD_UV");
  if (chosen.empty() && variable != options.environment.end()) chosen = variable->second;
  if (chosen.find('/') != std::string::npos) {
    if (IsProgram(chosen)) return fs::absolute(chosen);
    return Missing(fmt::format("uv, which builds environments, is not at {}", chosen));
  }
  if (chosen.empty()) {
    const StatusOr<fs::path> data = platform::FindDataDir();
    if (data.ok() && IsProgram(*data / "tools" / "bin" / "uv")) return *data / "tools/bin/uv";
    chosen = "uv";
  }
  if (const auto found = FindInPath(chosen, options.environment)) return *found;
  return Missing(fmt::format("{}, which builds environments, is not in PATH", chosen));
}

StatusOr<std::vector<std::string>> UvProgram::Run(const UvCall& call, const CancelToken& cancel) {
  platform::ProcessSpec spec{.program = program_,
                             .arguments = call.arguments,
                             .environment = environment_,
                             .folder = folder_,
                             .descriptors = {}};
  for (const auto& [name, value] : call.environment) spec.environment[name] = value;
  if (inherited_descriptor_ >= 0) spec.descriptors.emplace_back(inherited_descriptor_, 3);
  std::vector<std::string> lines;
  const platform::RunOptions options{.on_line =
                                         [&](std::string_view line) {
                                           if (lines.size() == kMostLines)
                                             lines.erase(lines.begin());
                                           lines.emplace_back(line);
                                           if (log_ && !call.quiet && !line.empty())
                                             log_("uv: " + Redact(line));
                                         },
                                     .deadline = call.deadline};
  LLMD_ASSIGN_OR_RETURN(const platform::ProcessExit exit, launcher_.Run(spec, options, cancel));
  if (exit.code == 0) return lines;
  if (exit.signal != 0) lines.push_back(fmt::format("signal {} ended uv", exit.signal));
  return UvError(lines, call.doing, folder_);
}

}  // namespace llmd::pyenv
