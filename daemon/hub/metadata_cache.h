// MetadataCache: what was read about the Hub's repositories, by commit, so that a second check of a
// commit asks for its revision only, and for nothing when offline. Below one folder:
//
//   <repository>/ref-<revision>     what the revision was when the Hub was asked last
//   <repository>/<commit>/list      its files; beside it the pieces that ReadStore keeps
//
// Only a cache: a damaged file counts as missing and nothing fails for want of it. Thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "domain/facts.h"
#include "domain/file_inventory.h"

namespace llmd::hub {

class MetadataCache {
 public:
  // An empty folder keeps nothing.
  explicit MetadataCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // A full commit id is found under whichever revision it was stored.
  std::optional<RepositoryInfo> FindInfo(const std::string& endpoint, const std::string& repo_id,
                                         const std::string& revision) const;
  // Forgets the repositories that were not asked for longest, past 100 of them.
  void StoreInfo(const std::string& endpoint, const std::string& repo_id,
                 const std::string& revision, const RepositoryInfo& info) const;

  // Where a commit's list and pieces are; empty when nothing is kept. What was read of a gated or
  // private repository is for whoever has the token it was read with.
  std::filesystem::path CommitFolder(const std::string& endpoint, const RepositoryInfo& info,
                                     const std::string& token) const;

 private:
  std::filesystem::path RepositoryFolder(const std::string& endpoint,
                                         const std::string& repo_id) const;

  const std::filesystem::path folder_;
};

std::optional<FileInventory> LoadList(const std::filesystem::path& commit_folder);
void StoreList(const std::filesystem::path& commit_folder, const FileInventory& inventory);

}  // namespace llmd::hub
