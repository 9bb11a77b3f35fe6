// llmd-shim: one small process per model server. Owns its process group, its log and its exit code,
// and outlives llmd. Started by llmd; see docs/architecture.md.
//
//   llmd-shim [--attached] [--spec-sha256 HEX] <spec.json>

#include <cstdio>
#include <string_view>

#include "base/version.h"
#include "shim/shim.h"

int main(int argc, char** argv) {
  llmd::shim::ShimArguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--version") {
      std::printf("llmd-shim %s\n", llmd::kVersion);
      return 0;
    }
    if (argument == "--attached") {
      arguments.attached = true;
    } else if (argument == "--spec-sha256" && i + 1 < argc) {
      arguments.spec_sha256 = argv[++i];
    } else {
      arguments.spec = argument;
    }
  }
  if (!arguments.spec.is_absolute()) {
    std::fputs("usage: llmd-shim [--attached] [--spec-sha256 HEX] /absolute/path/of/spec.json\n",
               stderr);
    return 2;
  }
  const llmd::Status status = llmd::shim::Shim(std::move(arguments)).Run();
  if (status.ok()) return 0;
  std::fprintf(stderr, "llmd-shim: %s\n", llmd::Message(status).c_str());
  return 1;
}
