#include <mach/mach.h>
#include <sys/sysctl.h>

#include <algorithm>
#include <memory>
#include <string>

#include "platform/machine_probe.h"
#include "platform/machine_probe_parts.h"

namespace llmd::platform {
namespace {

template <typename T>
T Sysctl(const char* name) {
  T value{};
  size_t size = sizeof(value);
  return ::sysctlbyname(name, &value, &size, nullptr, 0) == 0 ? value : T{};
}

std::string SysctlText(const char* name) {
  char text[256] = {};
  size_t size = sizeof(text) - 1;
  return ::sysctlbyname(name, text, &size, nullptr, 0) == 0 ? text : "";
}

int64_t AvailableBytes() {
  vm_statistics64_data_t pages{};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  if (::host_statistics64(::mach_host_self(), HOST_VM_INFO64,
                          reinterpret_cast<host_info64_t>(&pages), &count) != KERN_SUCCESS) {
    return 0;
  }
  const int64_t free =
      static_cast<int64_t>(pages.free_count) + pages.inactive_count + pages.purgeable_count;
  return free * static_cast<int64_t>(vm_kernel_page_size);
}

class MacosProbe final : public MachineProbe {
 public:
  MachineFacts Measure(const std::filesystem::path& home) override {
    MachineFacts facts;
    facts.os = "macos";
    const bool apple_silicon = Sysctl<int>("hw.optional.arm64") == 1;
    facts.arch = apple_silicon ? "aarch64" : "x86_64";
    facts.cpus = std::max(1, Sysctl<int>("hw.activecpu"));
    facts.memory_bytes = Sysctl<int64_t>("hw.memsize");
    facts.memory_available_bytes = std::min(AvailableBytes(), facts.memory_bytes);
    if (apple_silicon) {
      // GPU and CPU share the memory.
      ApplyGpus({{.name = SysctlText("machdep.cpu.brand_string"), .vendor = "apple"}}, facts);
    }
    facts.disk_free_bytes = FreeDiskBytes(home);
    return facts;
  }

  int64_t ResidentBytes(int64_t pid) override {
    return pid > 0 ? TreeResidentBytes(static_cast<pid_t>(pid)) : 0;
  }
};

}  // namespace

std::unique_ptr<MachineProbe> MakeMachineProbe() { return std::make_unique<MacosProbe>(); }

}  // namespace llmd::platform
