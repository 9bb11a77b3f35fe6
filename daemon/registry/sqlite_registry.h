// SqliteRegistry: the Registry in one SQLite file. One connection, one call at a time. Private to
// registry/; others open it by OpenSqliteRegistry.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "registry/database.h"
#include "registry/registry.h"

namespace llmd::registry {

class SqliteRegistry final : public Registry {
 public:
  explicit SqliteRegistry(std::unique_ptr<SQLite::Database> database)
      : database_(std::move(database)) {}

  // Whether every table has the columns that the queries below name.
  Status Probe();

  Status PutModel(const ModelRecord& model) override;
  StatusOr<ModelRecord> GetModel(std::string_view name) override;
  StatusOr<std::vector<ModelRecord>> ListModels() override;
  Status RemoveModel(std::string_view name) override;
  Status SetAlias(std::string_view alias, std::string_view model) override;
  Status RemoveAlias(std::string_view alias) override;

  StatusOr<int64_t> BeginEpoch() override;
  StatusOr<JobRecord> InsertJob(const JobRecord& job) override;
  StatusOr<JobEventRecord> TransitionJob(const JobRecord& job, JobState from,
                                         std::string_view message) override;
  StatusOr<JobEventRecord> AppendJobEvent(const JobRecord& job, std::string_view type,
                                          std::string_view message) override;
  StatusOr<JobRecord> GetJob(std::string_view id) override;
  StatusOr<std::vector<JobRecord>> ListJobs(bool active_only) override;
  StatusOr<std::vector<JobEventRecord>> ListJobEvents(std::string_view id,
                                                      int64_t after_sequence) override;

  Status PutServer(const ServerRecord& server) override;
  Status RemoveServer(std::string_view folder_name) override;
  StatusOr<std::vector<ServerRecord>> ListServers() override;

 private:
  // Runs `work` as one transaction: kept when it returns OK, undone otherwise.
  template <typename Work>
  auto Write(Work work) -> decltype(work()) {
    MutexLock lock(mutex_);
    return Guard([&]() -> decltype(work()) {
      SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
      auto result = work();
      if (result.ok()) transaction.commit();
      return result;
    });
  }
  template <typename Work>
  auto Read(Work work) -> decltype(work()) {
    MutexLock lock(mutex_);
    return Guard(std::move(work));
  }
  SQLite::Statement Prepare(const std::string& sql) { return {*database_, sql}; }

  // Parts of transactions: the caller holds the lock.
  StatusOr<JobRecord> FindJob(std::string_view id);
  StatusOr<JobEventRecord> AddEvent(std::string_view id, WallTime time, std::string_view type,
                                    std::string_view message);
  Status WhyUnchanged(const JobRecord& job);
  Status PruneEndedJobs();
  std::vector<std::string> AliasesOf(const std::string& model);

  Mutex mutex_;
  std::unique_ptr<SQLite::Database> database_;
};

// Shared by the parts: times as the file has them.
int64_t ToMicroseconds(WallTime time);
WallTime FromMicroseconds(int64_t microseconds);
std::string ToText(std::string_view text);

extern const char kModelColumns[];
extern const char kJobColumns[];
extern const char kEventColumns[];
extern const char kServerColumns[];

}  // namespace llmd::registry
