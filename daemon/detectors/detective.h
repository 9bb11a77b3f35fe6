// The config detective: says what a repository is and why. Probes read Facts out of a Repository;
// Inspect is a pure function over them. Thread-safe after loading.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "domain/facts.h"
#include "domain/profile.h"
#include "hub/repository.h"

namespace llmd::detectors {

struct Tables;

// What GatherFacts reads beside the usual files.
struct GatherOptions {
  std::vector<std::string> documents;    // JSON files that rules ask about
  std::shared_ptr<const Tables> tables;  // the libraries' defaults; may be null
};

// Reads everything the rules may ask about: inventory, small files, safetensors and GGUF headers.
// Of a weight file only its header is read. A file that is broken is a fact (Document::error), not
// an error, and so is a list of files with unsafe names (Facts::refusal); only failure to reach or
// list the repository is one. Requests: the list, then one parallel batch, then what headers longer
// than their first window need.
StatusOr<Facts> GatherFacts(hub::Repository& repository, const CancelToken& cancel,
                            const GatherOptions& options = {});

class Detective {
 public:
  // Loads `rules_dir` (ours: order.yaml and one file a detector) and `user_rules_dir` (may be
  // missing). A bad file of ours is an error; a bad user file is skipped and reported by
  // user_rule_errors() with file:line:column.
  static StatusOr<std::unique_ptr<Detective>> Load(const std::filesystem::path& rules_dir,
                                                   const std::filesystem::path& user_rules_dir);
  virtual ~Detective() = default;

  // What GatherFacts should read so that every rule can be asked.
  virtual GatherOptions gather_options() const { return {}; }

  // What it is: every profile field that follows from the repository alone (detector, kind,
  // architecture, parameters, dtype, quantization, capabilities, variants, weights_bytes, ...,
  // evidence). handler, backends, memory, download, supported are the planner's.
  virtual ModelProfile Inspect(const Facts& facts) const = 0;

  virtual const std::vector<std::string>& user_rule_errors() const = 0;
};

}  // namespace llmd::detectors
