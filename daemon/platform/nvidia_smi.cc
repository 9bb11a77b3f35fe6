#include "platform/nvidia_smi.h"

#include <algorithm>
#include <charconv>

namespace llmd::platform {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr char kSpace[] = " \t\r";
  const size_t start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kSpace) - start + 1);
}

// Cuts the part behind the last comma off `line`; false without one.
bool TakeLast(std::string_view& line, std::string_view& part) {
  const size_t comma = line.rfind(',');
  if (comma == std::string_view::npos) return false;
  part = Trim(line.substr(comma + 1));
  line = line.substr(0, comma);
  return true;
}

bool IsVersion(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> NvidiaListArguments(bool with_compute_capability) {
  return {std::string("--query-gpu=name,memory.total") +
              (with_compute_capability ? ",compute_cap" : ""),
          "--format=csv,noheader,nounits"};
}

std::vector<GpuFacts> ParseNvidiaGpus(std::string_view list, bool with_compute_capability) {
  std::vector<GpuFacts> gpus;
  while (!list.empty()) {
    const size_t end = list.find('\n');
    std::string_view line = list.substr(0, end);
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    std::string_view capability;
    std::string_view memory;
    if (with_compute_capability && !TakeLast(line, capability)) continue;
    if (!TakeLast(line, memory)) continue;
    int64_t mebibytes = 0;
    const auto [stop, error] =
        std::from_chars(memory.data(), memory.data() + memory.size(), mebibytes);
    const bool is_number = error == std::errc() && stop == memory.data() + memory.size();
    if (!is_number && !memory.starts_with('[')) continue;
    if (Trim(line).empty() || mebibytes < 0 || mebibytes > (int64_t{1} << 40)) continue;
    gpus.push_back({.name = std::string(Trim(line)),
                    .vendor = "nvidia",
                    .memory_bytes = is_number ? mebibytes << 20 : 0,
                    .compute_capability = IsVersion(capability) ? std::string(capability) : ""});
  }
  return gpus;
}

std::string ParseCudaVersion(std::string_view summary) {
  for (const std::string_view label : {"CUDA Version", "CUDA UMD Version"}) {
    const size_t at = summary.find(label);
    if (at == std::string_view::npos) continue;
    std::string_view rest = summary.substr(at + label.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" :"), rest.size()));
    const std::string_view version = rest.substr(0, rest.find_first_not_of("0123456789."));
    if (IsVersion(version)) return std::string(version);
  }
  return {};
}

}  // namespace llmd::platform
