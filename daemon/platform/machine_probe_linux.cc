#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/mutex.h"
#include "platform/cgroup.h"
#include "platform/machine_probe.h"
#include "platform/machine_probe_parts.h"
#include "platform/nvidia_smi.h"
#include "platform/process_launcher.h"

namespace llmd::platform {
namespace {

constexpr std::chrono::seconds kSmiDeadline{20};  // its first call loads the driver
constexpr std::chrono::minutes kFailureKept{1};
constexpr size_t kMaxSmiOutput = 1u << 20;

struct NvidiaFacts {
  std::vector<GpuFacts> gpus;
  std::string cuda_driver;
};

std::optional<std::filesystem::path> FindNvidiaSmi() {
  std::string folders = "/usr/bin:/usr/local/bin:/usr/lib/wsl/lib";
  if (const char* path = std::getenv("PATH")) folders = std::string(path) + ":" + folders;
  for (size_t at = 0; at <= folders.size();) {
    const size_t end = std::min(folders.find(':', at), folders.size());
    const std::filesystem::path file =
        std::filesystem::path(folders.substr(at, end - at)) / "nvidia-smi";
    if (file.is_absolute() && ::access(file.c_str(), X_OK) == 0) return file;
    at = end + 1;
  }
  return std::nullopt;
}

// The output of a program that ends well within the deadline.
StatusOr<std::string> OutputOf(const std::filesystem::path& program,
                               std::vector<std::string> arguments) {
  std::string output;
  const RunOptions options{.on_line =
                               [&output](std::string_view line) {
                                 if (output.size() > kMaxSmiOutput) return;
                                 output.append(line).push_back('\n');
                               },
                           .kill_grace = std::chrono::milliseconds(500),
                           .deadline = kSmiDeadline};
  const ProcessSpec spec{.program = program,
                         .arguments = std::move(arguments),
                         .environment = CleanEnvironment(false)};
  LLMD_ASSIGN_OR_RETURN(const ProcessExit exit,
                        MakeProcessLauncher()->Run(spec, options, CancelToken()));
  if (exit.code != 0) return Unavailable("{} ended with {}", program.string(), exit.code);
  return output;
}

// An error when there is a nvidia-smi that does not answer.
StatusOr<NvidiaFacts> AskNvidia() {
  const std::optional<std::filesystem::path> program = FindNvidiaSmi();
  if (!program) return NvidiaFacts{};
  bool with_capability = true;
  StatusOr<std::string> list = OutputOf(*program, NvidiaListArguments(with_capability));
  if (list.status().code() == StatusCode::kUnavailable) {
    with_capability = false;
    list = OutputOf(*program, NvidiaListArguments(with_capability));
  }
  if (!list.ok()) return list.status();
  NvidiaFacts facts{.gpus = ParseNvidiaGpus(*list, with_capability)};
  const StatusOr<std::string> summary = OutputOf(*program, {});
  if (summary.ok()) facts.cuda_driver = ParseCudaVersion(*summary);
  return facts;
}

class LinuxProbe final : public MachineProbe {
 public:
  MachineFacts Measure(const std::filesystem::path& home) override {
    MachineFacts facts;
    utsname system{};
    ::uname(&system);
    facts.os = "linux";
    facts.arch = system.machine;
    facts.cpus = UsableCpus();
    const StatusOr<std::string> meminfo = ReadFile("/proc/meminfo", 1u << 20);
    const MemoryFacts memory = ParseMeminfo(meminfo.ok() ? *meminfo : "");
    facts.memory_bytes = memory.total;
    facts.memory_available_bytes = memory.available;
    ApplyCgroup(ReadCgroup(), facts);
    const NvidiaFacts nvidia = Nvidia();
    ApplyGpus(nvidia.gpus, facts);
    facts.cuda_driver = nvidia.cuda_driver;
    facts.disk_free_bytes = FreeDiskBytes(home);
    return facts;
  }

  int64_t ResidentBytes(int64_t pid) override {
    return pid > 0 ? TreeResidentBytes(static_cast<pid_t>(pid)) : 0;
  }

 private:
  static int UsableCpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    // More than 1,024 processors do not fit the set: then all of them count.
    if (::sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
    return std::max(1, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
  }

  // GPUs do not come and go: asked once, and again only some time after a failure. Others wait
  // for the one who asks, that is what the lock is for.
  NvidiaFacts Nvidia() {
    MutexLock lock(mutex_);
    if (nvidia_.ok()) return *nvidia_;
    const auto now = std::chrono::steady_clock::now();
    if (!asked_at_ || now - *asked_at_ > kFailureKept) {
      nvidia_ = AskNvidia();
      asked_at_ = std::chrono::steady_clock::now();
    }
    return nvidia_.ok() ? *nvidia_ : NvidiaFacts{};
  }

  Mutex mutex_;
  StatusOr<NvidiaFacts> nvidia_ LLMD_GUARDED_BY(mutex_) = Unavailable("not asked yet");
  std::optional<std::chrono::steady_clock::time_point> asked_at_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace

MemoryFacts ParseMeminfo(std::string_view text) {
  const auto kibibytes = [text](std::string_view name) -> int64_t {
    size_t at = text.starts_with(name) ? 0 : text.find("\n" + std::string(name));
    if (at == std::string_view::npos) return 0;
    at = text.find_first_of("0123456789", at);
    if (at == std::string_view::npos) return 0;
    int64_t value = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), value);
    return value << 10;
  };
  return {.total = kibibytes("MemTotal:"), .available = kibibytes("MemAvailable:")};
}

std::unique_ptr<MachineProbe> MakeMachineProbe() { return std::make_unique<LinuxProbe>(); }

}  // namespace llmd::platform
