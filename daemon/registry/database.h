// What the registry's SQLite code shares: exceptions become Status here. Private to registry/.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::registry {

// Codes: "disk_full", "registry_busy", "registry_damaged" (kDataLoss), "registry_read_only",
// "registry_failed".
Status ToStatus(const SQLite::Exception& error);

// kDataLoss, code "registry_damaged": the file is to be set aside.
Status Damaged(std::string_view why);

// Calls `work`, which returns Status or StatusOr, and turns what it throws into a Status.
template <typename Work>
auto Guard(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    return ToStatus(error);
  } catch (const std::exception& error) {
    return Internal("registry: {}", error.what());
  }
}

// Opens or creates the file (0600) and sets what every connection of ours has: WAL,
// synchronous=FULL, foreign keys, a busy timeout. Checks neither content nor schema.
StatusOr<std::unique_ptr<SQLite::Database>> OpenDatabase(const std::string& path);

// The quick integrity check; kDataLoss with SQLite's first finding.
Status CheckIntegrity(SQLite::Database& database);

}  // namespace llmd::registry
