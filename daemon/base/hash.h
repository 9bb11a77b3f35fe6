// Digests and random identifiers, over OpenSSL. Not thread-safe per object; functions are.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd {

// A running digest: Update(...) any number of times, then Finish() once; Peek() in between.
class Hasher {
 public:
  enum class Kind { kSha1, kSha256 };
  explicit Hasher(Kind kind);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void Update(std::string_view bytes);
  // The digest of what was added so far; more may be added after it. Lower-case hex.
  std::string Peek() const;
  // Lower-case hex.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Lower-case hex of the SHA-256.
std::string Sha256Hex(std::string_view bytes);
// The same of a file's content, read in pieces.
StatusOr<std::string> Sha256OfFile(const std::filesystem::path& path);
// Git's object name of a blob: SHA-1("blob <size>\0" + bytes).
std::string GitBlobSha1(std::string_view bytes);

// `bytes` random bytes from the system, as lower-case hex.
std::string RandomHex(size_t bytes);

// Compares in a time that does not tell how much of it agrees.
bool SameSecret(std::string_view a, std::string_view b);

}  // namespace llmd
