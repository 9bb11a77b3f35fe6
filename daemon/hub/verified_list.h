// VerifiedList: which files of an unfinished download are whole, in `<folder>/.llmd-verified`, so
// that after a crash they are neither fetched nor read again. A file counts only while its size,
// time and inode are as they were noted; without a note it is hashed. Thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/file.h"
#include "base/mutex.h"
#include "base/status.h"
#include "domain/file_inventory.h"

namespace llmd::hub {

class VerifiedList {
 public:
  explicit VerifiedList(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Status Load();
  // The file's sha256 when it is there and as listed; empty when it must be fetched.
  std::string Find(const FileEntry& file);
  // Notes a file whose sha256 is known to be right.
  Status Add(const FileEntry& file);
  // The download is complete: the list is not needed any more.
  Status Remove();

 private:
  std::filesystem::path Path() const { return folder_ / ".llmd-verified"; }
  // "<size> <mtime> <inode>"; empty when it is no regular file.
  std::string Stamp(const FileEntry& file) const;

  const std::filesystem::path folder_;
  Mutex mutex_;
  // path -> "<sha256> <stamp>"
  std::map<std::string, std::string> entries_ LLMD_GUARDED_BY(mutex_);
  FileDescriptor file_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::hub
