#include "hub/read_store.h"

#include <charconv>

#include "base/file.h"
#include "base/hash.h"
#include "hub/checked_file.h"

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxTotal = 128 << 20;
constexpr size_t kKeyLength = 32;

// Names from outside never become names of ours.
std::string KeyOf(std::string_view path) { return Sha256Hex(path).substr(0, kKeyLength); }

// "<key>-<offset>-<size>"
bool ParseName(const std::string& name, std::string& key, int64_t& offset, int64_t& size) {
  if (name.size() < kKeyLength + 4 || name[kKeyLength] != '-') return false;
  key = name.substr(0, kKeyLength);
  const char* const end = name.data() + name.size();
  const auto first = std::from_chars(name.data() + kKeyLength + 1, end, offset);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return false;
  const auto second = std::from_chars(first.ptr + 1, end, size);
  return second.ec == std::errc() && second.ptr == end && offset >= 0 && size > 0;
}

}  // namespace

ReadStore::ReadStore(fs::path folder) : folder_(std::move(folder)) {
  if (folder_.empty()) return;
  MutexLock lock(mutex_);
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    std::string key;
    Piece piece;
    if (ParseName(at->path().filename().string(), key, piece.offset, piece.size)) {
      Add(key, std::move(piece));
    }
  }
}

void ReadStore::Add(const std::string& key, Piece piece) {
  total_ += piece.size;
  pieces_[key].push_back(std::move(piece));
}

fs::path ReadStore::FileOf(const std::string& key, const Piece& piece) const {
  return folder_ / fmt::format("{}-{}-{}", key, piece.offset, piece.size);
}

ReadStore::Piece ReadStore::Covering(const std::string& key, int64_t offset, int64_t length) {
  MutexLock lock(mutex_);
  const auto at = pieces_.find(key);
  if (at == pieces_.end()) return {};
  for (const Piece& piece : at->second) {
    if (offset >= piece.offset && offset + length <= piece.offset + piece.size) return piece;
  }
  return {};
}

bool ReadStore::Has(std::string_view path, int64_t offset, int64_t length) {
  return Covering(KeyOf(path), offset, length).size > 0;
}

std::optional<std::string> ReadStore::Find(std::string_view path, int64_t offset, int64_t length) {
  const std::string key = KeyOf(path);
  Piece piece = Covering(key, offset, length);
  if (piece.size == 0) return std::nullopt;
  if (piece.bytes.empty()) {
    auto bytes = ReadChecked(FileOf(key, piece), static_cast<size_t>(piece.size));
    if (!bytes || static_cast<int64_t>(bytes->size()) != piece.size) return std::nullopt;
    piece.bytes = *std::move(bytes);
  }
  return piece.bytes.substr(static_cast<size_t>(offset - piece.offset),
                            static_cast<size_t>(length));
}

void ReadStore::Put(std::string_view path, int64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  const std::string key = KeyOf(path);
  Piece piece{.offset = offset, .size = static_cast<int64_t>(bytes.size())};
  {
    MutexLock lock(mutex_);
    if (total_ + piece.size > kMaxTotal) return;
  }
  if (folder_.empty()) {
    piece.bytes = bytes;
  } else if (!MakeFolders(folder_, 0700).ok() || !WriteChecked(FileOf(key, piece), bytes)) {
    return;
  }
  MutexLock lock(mutex_);
  Add(key, std::move(piece));
}

}  // namespace llmd::hub
