// Brings a plan's files into a folder: verified, resumable, with progress over all of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/metrics.h"
#include "base/status.h"
#include "domain/file_inventory.h"
#include "domain/progress.h"
#include "hub/repository.h"

namespace llmd::hub {

struct DownloadOptions {
  int parallel_files = 4;
  Metrics* metrics = nullptr;
};

// Fetches `files` below `folder`. Free space is checked before the first byte (kResourceExhausted,
// code "disk_full", with needed and free bytes). Files that are there and verified are not fetched
// again. Returns the files with the sha256 of every one filled in (also of small git files).
StatusOr<std::vector<FileEntry>> DownloadFiles(Repository& repository,
                                               const std::vector<FileEntry>& files,
                                               const std::filesystem::path& folder,
                                               const DownloadOptions& options,
                                               const ProgressSink& progress,
                                               const CancelToken& cancel);

}  // namespace llmd::hub
