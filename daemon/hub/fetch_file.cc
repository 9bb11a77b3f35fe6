#include "hub/fetch_file.h"

#include <algorithm>

#include "base/logging.h"
#include "hub/partial_file.h"

namespace llmd::hub {
namespace {

// The CDN answers 400 to very large files without a range, and signs short-lived addresses: no
// request is for more than this.
constexpr int64_t kRangeBytes = 64'000'000;

Status FillFile(RangeReader& reader, const RetryPolicy& retry, const FileEntry& file,
                bool fresh_connection, PartialFile& partial, const ProgressSink& progress,
                const CancelToken& cancel) {
  Backoff backoff(retry);
  while (partial.size() < file.size) {
    const int64_t before = partial.size();
    const RangeOutcome outcome = reader.ReadOnce(
        {.path = file.path,
         .offset = partial.size(),
         .length = std::min(kRangeBytes, file.size - partial.size()),
         .file_size = file.size,
         .fresh_connection = fresh_connection,
         .patience = &retry},
        [&](std::string_view bytes) {
          LLMD_RETURN_IF_ERROR(partial.Append(bytes));
          if (progress) progress({.bytes_done = partial.size(), .bytes_total = file.size});
          return OkStatus();
        },
        cancel);
    if (partial.size() > before) backoff.Reset();
    Status status = outcome.status;
    if (IsRetryable(status)) status = backoff.WaitAfter(status, outcome.asked, cancel);
    if (status.ok()) continue;
    partial.Keep().IgnoreError();  // what is there helps the next attempt; the reason stays
    return status;
  }
  return OkStatus();
}

}  // namespace

Status FetchFile(RangeReader& reader, const RetryPolicy& retry, const FileEntry& file,
                 const std::string& target, const ProgressSink& progress,
                 const CancelToken& cancel) {
  LLMD_ASSIGN_OR_RETURN(PartialFile partial, PartialFile::Open(file, target, cancel));
  if (progress) progress({.bytes_done = partial.size(), .bytes_total = file.size});
  LLMD_RETURN_IF_ERROR(FillFile(reader, retry, file, false, partial, progress, cancel));
  const Status first = partial.Finish();
  if (first.code() != StatusCode::kDataLoss) return first;

  Log("hub").Warn("a file arrived damaged; it is fetched once more", {{"reason", Message(first)}});
  LLMD_RETURN_IF_ERROR(FillFile(reader, retry, file, true, partial, progress, cancel));
  return partial.Finish();
}

}  // namespace llmd::hub
