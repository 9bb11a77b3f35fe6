// CopyVerified: a local file to its place in a model's folder.
#pragma once

#include <string>

#include "base/cancel.h"
#include "base/status.h"
#include "domain/file_inventory.h"
#include "domain/progress.h"

namespace llmd::hub {

// Shares the blocks where the file system can (reflink), else copies; checks the entry's hash when
// it has one. The target appears by rename. Errors as Repository::Fetch.
Status CopyVerified(int source, const FileEntry& file, const std::string& target,
                    const ProgressSink& progress, const CancelToken& cancel);

}  // namespace llmd::hub
