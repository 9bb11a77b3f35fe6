// What nvidia-smi prints, as GpuFacts. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/machine.h"

namespace llmd::platform {

// Arguments for the list that ParseNvidiaGpus reads; drivers before 510 do not know compute_cap.
std::vector<std::string> NvidiaListArguments(bool with_compute_capability);

// One GPU a line: "name, MiB[, compute capability]". Lines of another form are left out. A GPU that
// has no memory of its own ("[N/A]") has memory_bytes 0.
std::vector<GpuFacts> ParseNvidiaGpus(std::string_view list, bool with_compute_capability);

// "13.2" out of the summary's "CUDA Version: 13.2"; empty when it is not there.
std::string ParseCudaVersion(std::string_view summary);

}  // namespace llmd::platform
