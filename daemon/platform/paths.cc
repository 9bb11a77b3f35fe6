#include "platform/paths.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

#include "base/file.h"
#include "base/hash.h"
#include "platform/private_folder.h"
#include "platform/unix_socket.h"

namespace llmd::platform {

namespace fs = std::filesystem;

namespace {

// "/servers/" + 12 hex digits + "/shim.sock": the longest name of a socket below run/.
constexpr size_t kLongestSocketName = 9 + 12 + 10;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The user's folder for sockets, where it is short enough; else the common temporary folder.
fs::path ShortFolder(std::string_view name) {
  const fs::path runtime = Variable("XDG_RUNTIME_DIR");
  std::string leaf(name);
  if (!runtime.is_absolute()) {
    // Shared with other users, so the name says whose it is.
    leaf = fmt::format("{}-{}", leaf, ::geteuid());
  }
  for (const fs::path& parent : {runtime, fs::path(Variable("TMPDIR")), fs::path("/tmp")}) {
    const fs::path folder = parent / leaf;
    std::error_code error;
    if (parent.is_absolute() && fs::is_directory(parent, error) &&
        folder.native().size() + kLongestSocketName <= MaxSocketPath()) {
      return folder;
    }
  }
  return fs::path("/tmp") / leaf;
}

bool IsExecutable(const fs::path& file) {
  struct stat facts {};
  return ::stat(file.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
         ::access(file.c_str(), X_OK) == 0;
}

}  // namespace

fs::path HomePaths::socket_dir() const {
  if (run().native().size() + kLongestSocketName <= MaxSocketPath()) return run();
  return ShortFolder(fmt::format("llmd-{}", Sha256Hex(home.native()).substr(0, 12)));
}

StatusOr<HomePaths> ResolveHome(std::string_view flag) {
  fs::path home = flag.empty() ? fs::path(Variable("LLMD_HOME")) : fs::path(flag);
  if (home.empty()) {
    const std::string user_home = Variable("HOME");
    if (user_home.empty()) {
      return MakeStatus(StatusCode::kFailedPrecondition, "neither LLMD_HOME nor HOME is set",
                        {.code = "no_home", .next_step = "Set LLMD_HOME to a folder of yours."});
    }
    home = fs::path(user_home) / "LLM";
  }
  std::error_code error;
  home = fs::absolute(home, error).lexically_normal();
  if (error) return ErrnoStatus(error.value(), "cannot tell the working folder");
  // "/x/" and "/x" are one home.
  if (!home.has_filename() && home.has_relative_path()) home = home.parent_path();
  return HomePaths{std::move(home)};
}

Status CreateHome(const HomePaths& paths) {
  LLMD_RETURN_IF_ERROR(MakeFolders(paths.home));
  for (const fs::path& folder : {paths.models(), paths.staging(), paths.cache(), paths.logs()}) {
    LLMD_RETURN_IF_ERROR(MakeFolders(folder));
  }
  LLMD_RETURN_IF_ERROR(MakeFolders(paths.rules(), 0700));
  LLMD_RETURN_IF_ERROR(MakePrivateFolder(paths.run()));
  LLMD_RETURN_IF_ERROR(MakePrivateFolder(paths.servers()));
  return MakePrivateFolder(paths.socket_dir());
}

fs::path ProgramPath() {
  std::error_code error;
#if defined(__APPLE__)
  uint32_t size = 0;
  _NSGetExecutablePath(nullptr, &size);
  std::string path(size, '\0');
  if (_NSGetExecutablePath(path.data(), &size) != 0) return {};
  return fs::weakly_canonical(path.c_str(), error);
#else
  return fs::read_symlink("/proc/self/exe", error);
#endif
}

StatusOr<fs::path> FindDataDir() {
  fs::path folder = Variable("LLMD_DATA_DIR");
  if (folder.empty()) folder = ProgramPath().parent_path().parent_path() / "share" / "llmd";
  std::error_code error;
  if (fs::is_directory(folder, error)) return folder;
  return MakeStatus(StatusCode::kFailedPrecondition,
                    fmt::format("the data files are not at {}", folder.string()),
                    {.code = "data_files_missing",
                     .next_step = "Install llmd again, or set LLMD_DATA_DIR to its share/llmd."});
}

StatusOr<fs::path> FindProgram(std::string_view name) {
  const fs::path own = ProgramPath().parent_path();
  for (const fs::path& folder : {own, own.parent_path() / "libexec" / "llmd"}) {
    if (IsExecutable(folder / name)) return folder / name;
  }
  return MakeStatus(StatusCode::kFailedPrecondition,
                    fmt::format("{} is not beside {}", name, ProgramPath().string()),
                    {.code = "program_missing", .next_step = "Install llmd again."});
}

}  // namespace llmd::platform
