// Unix stream sockets, by path. All descriptors are close-on-exec and non-blocking. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/status.h"

namespace llmd::platform {

// The longest path that can be bound: 107 bytes on Linux, 103 on macOS.
size_t MaxSocketPath();

// Binds and listens; whatever lies at `path` is removed first, so the folder must be ours alone.
// kInvalidArgument (code "socket_path_too_long").
StatusOr<FileDescriptor> ListenUnix(const std::filesystem::path& path, int backlog);

// kUnavailable when nobody listens, kNotFound when nothing is there.
StatusOr<FileDescriptor> ConnectUnix(const std::filesystem::path& path);

// The next connection of a listening socket; kUnavailable when there is none.
StatusOr<FileDescriptor> AcceptUnix(int listener);

// Two connected ends.
StatusOr<std::pair<FileDescriptor, FileDescriptor>> SocketPair();

// Both ends of a pipe, close-on-exec: (read, write). Blocking.
StatusOr<std::pair<FileDescriptor, FileDescriptor>> MakePipe();

Status SetNonBlocking(int fd);

// Who sits at the other end: the user, and the process where the system tells (else 0).
struct Peer {
  uid_t user = 0;
  pid_t pid = 0;
};
StatusOr<Peer> PeerOf(int fd);

}  // namespace llmd::platform
