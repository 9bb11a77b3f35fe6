// Repository: one model repository at one fixed commit, whatever it comes from (the Hub, a
// Hugging Face cache, a local folder, a test's fake). Nothing here fetches weights; see download.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "domain/caller.h"
#include "domain/facts.h"
#include "domain/file_inventory.h"
#include "domain/progress.h"

namespace llmd::hub {

// A read that is about to happen: ReadSmall(path, length) when `whole`, else
// ReadRange(path, offset, length).
struct ReadRequest {
  std::string path;
  int64_t offset = 0;
  int64_t length = 0;
  bool whole = false;
};

// Thread-safe. Reads may block on the network; each takes a cancel token.
class Repository {
 public:
  virtual ~Repository() = default;

  virtual const RepositoryInfo& info() const = 0;

  // All files, sorted. kResourceExhausted past kMaxInventoryEntries, kInvalidArgument (code
  // "unsafe_path") when any name fails ValidateRepoPath.
  virtual StatusOr<FileInventory> List(const CancelToken& cancel) = 0;

  // A whole small file. kResourceExhausted (code "file_too_large") when it is over `max_bytes`,
  // kNotFound, kPermissionDenied (code "gated").
  virtual StatusOr<std::string> ReadSmall(std::string_view path, size_t max_bytes,
                                          const CancelToken& cancel) = 0;

  // Bytes [offset, offset + length) of a file, fewer at its end. Only the range is transferred.
  virtual StatusOr<std::string> ReadRange(std::string_view path, int64_t offset, int64_t length,
                                          const CancelToken& cancel) = 0;

  // Fetches what the next reads want in one parallel batch; a read inside one of these makes no
  // request of its own. What cannot be had is no error here, the read itself says why: only
  // kCancelled. Sources that read from disk have nothing to do.
  virtual Status Prefetch(const std::vector<ReadRequest>& wanted, const CancelToken& cancel) {
    static_cast<void>(wanted);
    return cancel.Check();
  }

  // Whether this caller may download: OK, kPermissionDenied (code "gated"), kUnauthenticated
  // (code "gated_needs_token" or "invalid_token"). One cheap request, or none.
  virtual Status CheckAccess(const CancelToken& cancel) = 0;

  // Brings one file to `target` (its folder exists), verified against the entry's size and hash,
  // resumable: `target` appears only when whole, partial state lies beside it and survives SIGKILL.
  // kDataLoss (code "checksum_mismatch") names both hashes. Called from one thread per file.
  virtual Status Fetch(const FileEntry& file, const std::string& target,
                       const ProgressSink& progress, const CancelToken& cancel) = 0;
};

struct RepositoryRequest {
  std::string repo_id;         // `org/name`, or an absolute path of a local folder
  std::string revision;        // branch, tag or commit; empty: main
  HubCredentials credentials;  // empty fields: the daemon's own endpoint and token file
  bool offline = false;        // no request: only what is on this machine
};

// Opens repositories. Thread-safe.
class Hub {
 public:
  virtual ~Hub() = default;
  // Resolves the revision to a commit; one request. Errors: kInvalidArgument
  // ("invalid_repository_id"), kNotFound ("repository_not_found", "revision_not_found"),
  // kUnauthenticated ("invalid_token"), kPermissionDenied ("repository_disabled"), kUnavailable
  // ("hub_unreachable", "hub_error").
  virtual StatusOr<std::unique_ptr<Repository>> Open(const RepositoryRequest& request,
                                                     const CancelToken& cancel) = 0;
};

}  // namespace llmd::hub
