// Which files of a repository install fetches, and why not the others. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/facts.h"
#include "domain/profile.h"
#include "planner/selection.h"

namespace llmd::planner {

struct FileChoice {
  std::vector<FileEntry> files;  // sorted by path
  int64_t bytes = 0;
  std::vector<ModelProfile::SkippedFile> skipped;  // sorted by path
};

// The selected weights with their index files, and everything that is no weight: configuration,
// tokenizers, licence. Left out: other weights, what training left behind, pictures and videos, the
// folders of other formats, code that is not needed.
FileChoice ChooseFiles(const Facts& facts, const ModelProfile& profile, const Selection& selection);

}  // namespace llmd::planner
