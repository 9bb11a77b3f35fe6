// The options by which check and install name a repository.
#pragma once

#include <llmd/v1/models.pb.h>

#include <string>

#include "base/status.h"

namespace CLI {
class App;
}

namespace llmd::client {

struct SourceOptions {
  std::string repository;
  std::string revision;
};

void DefineSource(CLI::App& app, SourceOptions& options);

// Adds this shell's HF_TOKEN and HF_ENDPOINT: used for the one call, never stored.
Status FillSource(const SourceOptions& options, v1::Source* source);

}  // namespace llmd::client
