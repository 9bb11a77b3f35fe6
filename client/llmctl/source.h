// The options by which check and install name a repository and what is wanted of it.
#pragma once

#include <llmd/v1/models.pb.h>

#include <cstdint>
#include <string>

#include "base/status.h"

namespace CLI {
class App;
}

namespace llmd::client {

struct SourceOptions {
  std::string repository;
  std::string revision;
  bool offline = false;
};

void DefineSource(CLI::App& app, SourceOptions& options);

// Adds this shell's HF_TOKEN and HF_ENDPOINT: used for the one call, never stored. HF_HUB_OFFLINE
// counts as --offline.
Status FillSource(const SourceOptions& options, v1::Source* source);

// What the plan would choose by itself; empty leaves it the choice.
struct WishOptions {
  std::string variant;
  std::string file;
  std::string engine;
  std::string quantization;
  int64_t context = 0;
};

void DefineWish(CLI::App& app, WishOptions& options);

// For CheckRequest and InstallRequest.
template <typename Request>
void FillWish(const WishOptions& options, Request* request) {
  request->set_variant(options.variant);
  request->set_file(options.file);
  request->set_engine(options.engine);
  request->set_quantization(options.quantization);
  request->set_context(options.context);
}

}  // namespace llmd::client
