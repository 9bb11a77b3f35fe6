#include "platform/spawn_setup.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

extern char** environ;  // NOLINT: POSIX wants it declared here

namespace llmd::platform {
namespace {

// posix_spawn's two objects, destroyed on every way out.
class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_init(&actions_);
  }
  ~Attributes() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  Status SetUp(const ProcessSpec& spec) {
    // llmd blocks signals in all threads and ignores SIGPIPE: a child must inherit neither.
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGUSR1, SIGUSR2,
                             SIGTTIN, SIGTTOU, SIGTSTP}) {
      sigaddset(&defaults, signal);
    }
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (spec.new_session) {
      flags |= POSIX_SPAWN_SETSID;  // a session brings a group
    } else if (spec.new_group) {
      flags |= POSIX_SPAWN_SETPGROUP;
    }
#if defined(__APPLE__)
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    int error = ::posix_spawnattr_setsigmask(&attributes_, &none);
    if (error == 0) error = ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    if (error == 0) error = ::posix_spawnattr_setpgroup(&attributes_, 0);
    if (error == 0) error = ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    if (error == 0 && !spec.folder.empty()) {
      error = ::posix_spawn_file_actions_addchdir_np(&actions_, spec.folder.c_str());
    }
    if (error != 0) return ErrnoStatus(error, "cannot prepare a process");
    return SetDescriptors(spec);
  }

  const posix_spawnattr_t* attributes() const { return &attributes_; }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  Status SetDescriptors(const ProcessSpec& spec) {
    int top = 2;
    for (const auto& [ours, there] : spec.descriptors) top = std::max(top, there);
    std::vector<int> wanted(static_cast<size_t>(top) + 1, -1);
    for (const auto& [ours, there] : spec.descriptors) {
      // Moved out of the way first, so that one action never overwrites the source of the next.
      FileDescriptor high(::fcntl(ours, F_DUPFD_CLOEXEC, top + 1));
      if (!high.valid()) return ErrnoStatus(errno, fmt::format("cannot pass descriptor {}", ours));
      wanted[static_cast<size_t>(there)] = high.get();
      moved_.push_back(std::move(high));
    }
    int error = 0;
    for (int there = 0; there <= top && error == 0; ++there) {
      const int source = wanted[static_cast<size_t>(there)];
      if (source >= 0) {
        error = ::posix_spawn_file_actions_adddup2(&actions_, source, there);
      } else if (there <= 2) {
        error = ::posix_spawn_file_actions_addopen(&actions_, there, "/dev/null", O_RDWR, 0);
      } else {
        error = CloseInChild(there);
      }
    }
#if defined(__GLIBC__)
    if (error == 0) error = ::posix_spawn_file_actions_addclosefrom_np(&actions_, top + 1);
#endif
    return error == 0 ? OkStatus() : ErrnoStatus(error, "cannot prepare descriptors");
  }

  int CloseInChild([[maybe_unused]] int fd) {
#if defined(__APPLE__)
    return 0;  // POSIX_SPAWN_CLOEXEC_DEFAULT does it; closing what is not open would be an error
#else
    return ::posix_spawn_file_actions_addclose(&actions_, fd);
#endif
  }

  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
  std::vector<FileDescriptor> moved_;
};

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

bool HasNul(const std::string& text) { return text.find('\0') != std::string::npos; }

}  // namespace

StatusOr<pid_t> Spawn(const ProcessSpec& spec) {
  std::vector<std::string> arguments{spec.program.string()};
  arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<std::string> environment;
  for (const auto& [name, value] : spec.environment) environment.push_back(name + "=" + value);
  if (std::any_of(arguments.begin(), arguments.end(), HasNul) ||
      std::any_of(environment.begin(), environment.end(), HasNul)) {
    return InvalidArgument("an argument or variable for {} contains a NUL byte",
                           spec.program.string());
  }
  Attributes attributes;
  LLMD_RETURN_IF_ERROR(attributes.SetUp(spec));
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, spec.program.c_str(), attributes.actions(), attributes.attributes(),
                    Pointers(arguments).data(), Pointers(environment).data());
  if (error != 0) return ErrnoStatus(error, fmt::format("cannot start {}", spec.program.string()));
  return pid;
}

std::map<std::string, std::string> CleanEnvironment(bool with_network) {
  constexpr std::string_view kAlways[] = {"PATH",   "HOME", "LANG", "LANGUAGE",
                                          "TMPDIR", "TZ",   "USER", "LOGNAME"};
  constexpr std::string_view kNetwork[] = {"http_proxy",    "https_proxy", "all_proxy", "no_proxy",
                                           "HTTP_PROXY",    "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
                                           "SSL_CERT_FILE", "SSL_CERT_DIR"};
  std::map<std::string, std::string> kept;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    const auto listed = [name](const auto& names) {
      return std::find(std::begin(names), std::end(names), name) != std::end(names);
    };
    if (listed(kAlways) || name.starts_with("LC_") || (with_network && listed(kNetwork))) {
      kept.emplace(name, text.substr(equals + 1));
    }
  }
  return kept;
}

}  // namespace llmd::platform
