#include "hub/checked_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"

namespace llmd::hub {
namespace {

constexpr size_t kDigestLength = 64;
constexpr size_t kHeadBytes = kDigestLength + 1;  // and a line break

bool Write(const std::filesystem::path& path, std::string_view content) {
  auto file = OpenFile(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  return file.ok() && WriteAll(file->get(), Sha256Hex(content) + "\n").ok() &&
         WriteAll(file->get(), content).ok();
}

}  // namespace

std::optional<std::string> ReadChecked(const std::filesystem::path& path, size_t max_bytes) {
  StatusOr<std::string> text = ReadFile(path, max_bytes + kHeadBytes);
  if (!text.ok() || text->size() < kHeadBytes) return std::nullopt;
  const std::string digest = text->substr(0, kDigestLength);
  text->erase(0, kHeadBytes);
  if (Sha256Hex(*text) != digest) return std::nullopt;
  return *std::move(text);
}

bool WriteChecked(const std::filesystem::path& path, std::string_view content) {
  const std::string temporary = fmt::format("{}.tmp-{}", path.string(), RandomHex(4));
  const bool done = Write(temporary, content) && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!done) ::unlink(temporary.c_str());
  return done;
}

}  // namespace llmd::hub
