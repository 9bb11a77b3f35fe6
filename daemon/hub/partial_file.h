// PartialFile: a file on its way in. Bytes are written to `<target>.llmd-part` and hashed in order;
// every 16 MiB or second they are made durable and noted in `<target>.llmd-journal`, each note with
// the digest of all bytes before it. After a crash the noted bytes are read back, checked against
// those digests, and never fetched again. The target appears by rename once size and hash agree.
// Used by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/status.h"
#include "domain/file_inventory.h"

namespace llmd::hub {

class PartialFile {
 public:
  // Opens or begins it; reads back what an earlier process noted. kCancelled while reading.
  static StatusOr<PartialFile> Open(const FileEntry& file, const std::filesystem::path& target,
                                    const CancelToken& cancel);

  int64_t size() const { return size_; }        // bytes that are there and hashed
  int64_t resumed() const { return resumed_; }  // of these, bytes of an earlier process

  Status Append(std::string_view bytes);
  // Checks the hash, makes the file durable and renames it to the target. kDataLoss (code
  // "checksum_mismatch", "lfs_pointer") leaves nothing behind.
  Status Finish();
  // Makes what is there durable and notes it, for a later process to go on.
  Status Keep();
  // Forgets every byte.
  Status Discard();

  // Disk space that `target` still needs: a partial file may have taken some already.
  static int64_t MissingSpace(const FileEntry& file, const std::filesystem::path& target);
  static std::filesystem::path PartPath(const std::filesystem::path& target);
  static std::filesystem::path JournalPath(const std::filesystem::path& target);

 private:
  PartialFile(const FileEntry& file, std::filesystem::path target);
  Status ReadBack(const CancelToken& cancel);
  Status Note();
  Status OpenJournal();
  void RestartHash();
  Status Mismatch(std::string_view what, const std::string& found, const std::string& wanted);

  FileEntry file_;
  std::filesystem::path target_;
  FileDescriptor part_;
  FileDescriptor journal_;
  Hasher hasher_;
  std::string head_;  // the first bytes, to recognise an LFS pointer
  int64_t size_ = 0;
  int64_t resumed_ = 0;
  int64_t noted_ = 0;
  std::chrono::steady_clock::time_point noted_at_;
};

// The text that Git LFS leaves in place of a large file.
bool IsLfsPointer(std::string_view content);
Status LfsPointerError(std::string_view path);

}  // namespace llmd::hub
