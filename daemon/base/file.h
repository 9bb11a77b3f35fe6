// Files: bounded reads, atomic durable writes, descriptors that close themselves. Thread-safe.
// Errors name the path; ENOSPC becomes kResourceExhausted with code "disk_full".
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace llmd {

// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Close();

 private:
  int fd_ = -1;
};

// Opens with O_CLOEXEC. `flags` and `mode` as in open(2).
StatusOr<FileDescriptor> OpenFile(const std::filesystem::path& path, int flags, mode_t mode = 0600);

// The whole file; kResourceExhausted (code "file_too_large") when it holds more than `max_bytes`.
StatusOr<std::string> ReadFile(const std::filesystem::path& path, size_t max_bytes);

// Writes all of `data`, repeating short writes.
Status WriteAll(int fd, std::string_view data);

// Replaces `path` so that a reader, or the file system after a power cut, has the old or the new
// content: temporary file beside it, fsync, rename, fsync of the folder.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content,
                           mode_t mode = 0600);

Status SyncFolder(const std::filesystem::path& folder);

// Makes everything durable that was written to the file system that `path` is on.
Status SyncFileSystem(const std::filesystem::path& path);

// Creates the folder and its parents; existing ones are fine. `mode` is for those it makes.
Status MakeFolders(const std::filesystem::path& folder, mode_t mode = 0755);

// Removes a tree, never following a symbolic link. A path that is not there is fine.
Status RemoveTree(const std::filesystem::path& path);

// Moves `from` to `to` on one file system and makes it durable. kAlreadyExists when `to` is there.
Status RenameNoReplace(const std::filesystem::path& from, const std::filesystem::path& to);

// Exchanges two existing paths in one step. kUnimplemented where the file system cannot.
Status ExchangePaths(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace llmd
