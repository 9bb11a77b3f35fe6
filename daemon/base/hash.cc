#include "base/hash.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/file.h"

namespace llmd {
namespace {

std::string ToHex(const unsigned char* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    text.push_back(kDigits[bytes[i] >> 4]);
    text.push_back(kDigits[bytes[i] & 15]);
  }
  return text;
}

}  // namespace

struct Hasher::Context {
  EVP_MD_CTX* handle = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(handle); }
};

Hasher::Hasher(Kind kind) : context_(std::make_unique<Context>()) {
  EVP_DigestInit_ex(context_->handle, kind == Kind::kSha1 ? EVP_sha1() : EVP_sha256(), nullptr);
}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::Update(std::string_view bytes) {
  EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size());
}

std::string Hasher::Peek() const {
  const Context copy;
  EVP_MD_CTX_copy_ex(copy.handle, context_->handle);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(copy.handle, digest, &size);
  return ToHex(digest, size);
}

std::string Hasher::Finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context_->handle, digest, &size);
  return ToHex(digest, size);
}

std::string Sha256Hex(std::string_view bytes) {
  Hasher hasher(Hasher::Kind::kSha256);
  hasher.Update(bytes);
  return hasher.Finish();
}

StatusOr<std::string> Sha256OfFile(const std::filesystem::path& path) {
  LLMD_ASSIGN_OR_RETURN(FileDescriptor file, OpenFile(path, O_RDONLY));
  Hasher hasher(Hasher::Kind::kSha256);
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, fmt::format("cannot read {}", path.string()));
    if (got == 0) return hasher.Finish();
    hasher.Update({buffer.data(), static_cast<size_t>(got)});
  }
}

std::string GitBlobSha1(std::string_view bytes) {
  Hasher hasher(Hasher::Kind::kSha1);
  std::string head = fmt::format("blob {}", bytes.size());
  head.push_back('\0');
  hasher.Update(head);
  hasher.Update(bytes);
  return hasher.Finish();
}

std::string RandomHex(size_t bytes) {
  std::vector<unsigned char> raw(bytes);
  // Without randomness no token can be trusted; nothing sensible can go on.
  if (RAND_bytes(raw.data(), static_cast<int>(raw.size())) != 1) std::abort();
  return ToHex(raw.data(), raw.size());
}

bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace llmd
