// ReadStore: pieces of the small files and headers of one commit, kept so that they are not read
// again: in a folder, for later checks too, or in memory. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace llmd::hub {

class ReadStore {
 public:
  // An empty folder keeps them in memory. One that is not there is made with the first piece.
  explicit ReadStore(std::filesystem::path folder);

  bool Has(std::string_view path, int64_t offset, int64_t length);
  // Bytes [offset, offset + length) of a file when one piece has them all.
  std::optional<std::string> Find(std::string_view path, int64_t offset, int64_t length);
  // Keeps bytes that begin at `offset`. Past 128 MiB in all nothing more is kept.
  void Put(std::string_view path, int64_t offset, std::string_view bytes);

 private:
  struct Piece {
    int64_t offset = 0;
    int64_t size = 0;
    std::string bytes;  // empty when it lies in the folder
  };
  // The piece that has them all; one without a size when there is none.
  Piece Covering(const std::string& key, int64_t offset, int64_t length);
  void Add(const std::string& key, Piece piece) LLMD_REQUIRES(mutex_);
  std::filesystem::path FileOf(const std::string& key, const Piece& piece) const;

  const std::filesystem::path folder_;
  Mutex mutex_;
  std::map<std::string, std::vector<Piece>> pieces_ LLMD_GUARDED_BY(mutex_);
  int64_t total_ LLMD_GUARDED_BY(mutex_) = 0;
};

}  // namespace llmd::hub
