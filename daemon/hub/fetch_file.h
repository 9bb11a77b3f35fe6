// FetchFile: one file from the Hub to disk over one stream: ranges of 64 MB, tried again where they
// broke off, verified, once more from the beginning when the hash is wrong.
#pragma once

#include <string>

#include "base/cancel.h"
#include "base/status.h"
#include "domain/file_inventory.h"
#include "domain/progress.h"
#include "hub/range_reader.h"
#include "hub/retry.h"

namespace llmd::hub {

Status FetchFile(RangeReader& reader, const RetryPolicy& retry, const FileEntry& file,
                 const std::string& target, const ProgressSink& progress,
                 const CancelToken& cancel);

}  // namespace llmd::hub
