#include "pyenv/python_finder.h"

#include <charconv>

#include "platform/process_launcher.h"

namespace llmd::pyenv {
namespace {

constexpr std::string_view kMark = "llmd-python ";
constexpr char kScript[] =
    "import sys, sysconfig; print('llmd-python', '%d.%d.%d' % sys.version_info[:3], "
    "sys.implementation.name, sysconfig.get_platform())";
constexpr int kLeastMinor = 10;

Status Missing(const std::string& why, const EnvBuilderOptions& options) {
  return MakeStatus(StatusCode::kFailedPrecondition, why,
                    {.code = "python_missing",
                     .next_step = fmt::format("Install Python {} (3.10 or newer will do), or set "
                                              "python.downloads in llmd.yaml to true.",
                                              options.python)});
}

bool IsNewEnough(const Python& python) {
  int minor = 0;
  if (!python.version.starts_with("3.")) return false;
  const char* end = python.version.data() + python.version.size();
  return std::from_chars(python.version.data() + 2, end, minor).ec == std::errc() &&
         minor >= kLeastMinor;
}

// The path that `uv python find` printed among its warnings.
std::optional<std::filesystem::path> PathIn(const std::vector<std::string>& lines) {
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (line->starts_with('/')) return *line;
  }
  return std::nullopt;
}

}  // namespace

StatusOr<Python> AskPython(const std::filesystem::path& program,
                           platform::ProcessLauncher& launcher, const CancelToken& cancel) {
  Python python{.program = program, .version = {}, .platform = {}};
  const platform::ProcessSpec spec{.program = program,
                                   .arguments = {"-I", "-c", kScript},
                                   .environment = platform::CleanEnvironment(false),
                                   .folder = "/",
                                   .descriptors = {}};
  const platform::RunOptions options{.on_line =
                                         [&](std::string_view line) {
                                           if (!line.starts_with(kMark)) return;
                                           line.remove_prefix(kMark.size());
                                           const size_t space = line.find(' ');
                                           if (space == std::string_view::npos) return;
                                           python.version = line.substr(0, space);
                                           python.platform = line.substr(space + 1);
                                         },
                                     .deadline = std::chrono::seconds(60)};
  const StatusOr<platform::ProcessExit> exit = launcher.Run(spec, options, cancel);
  LLMD_RETURN_IF_ERROR(cancel.Check());
  if (exit.ok() && exit->code == 0 && !python.version.empty()) return python;
  return MakeStatus(StatusCode::kFailedPrecondition,
                    fmt::format("{} does not run", program.string()),
                    {.code = "python_missing", .next_step = "Install Python 3.10 or newer."});
}

StatusOr<Python> FindPython(UvProgram& uv, platform::ProcessLauncher& launcher,
                            const EnvBuilderOptions& options, const CancelToken& cancel) {
  const auto find = [&](const std::string& request) -> StatusOr<Python> {
    const UvCall call{.doing = "looking for Python",
                      .arguments = {"python", "find", "--system", "--no-project", request},
                      .environment = {},
                      .quiet = true,
                      .deadline = std::chrono::seconds(120)};
    LLMD_ASSIGN_OR_RETURN(const std::vector<std::string> lines, uv.Run(call, cancel));
    const auto path = PathIn(lines);
    if (!path) return NotFound("uv names no Python");
    return AskPython(*path, launcher, cancel);
  };
  StatusOr<Python> python = find(options.python);
  if (!python.ok() && options.python_downloads && !cancel.IsCancelled()) {
    const UvCall install{.doing = fmt::format("installing Python {}", options.python),
                         .arguments = {"python", "install", options.python},
                         .environment = {},
                         .deadline = std::nullopt};
    if (uv.Run(install, cancel).ok()) python = find(options.python);
  }
  if (!python.ok()) python = find(fmt::format(">=3.{}", kLeastMinor));
  LLMD_RETURN_IF_ERROR(cancel.Check());
  if (!python.ok()) {
    return Missing(fmt::format("no Python from 3.10 on was found: {}", Message(python.status())),
                   options);
  }
  if (!IsNewEnough(*python)) {
    return Missing(fmt::format("Python {} is too old", python->version), options);
  }
  return python;
}

}  // namespace llmd::pyenv
