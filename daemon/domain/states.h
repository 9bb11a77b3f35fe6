// States of models, jobs and servers with their names on the wire, and the records that carry them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "domain/profile.h"

namespace llmd {

enum class ModelState { kInstalling, kInstalled, kBroken, kRemoving };
enum class JobState { kQueued, kRunning, kCancelling, kSucceeded, kFailed, kCancelled };
enum class ServerState { kStopped, kStarting, kReady, kDraining, kStopping, kFailed, kCrashLoop };

std::string_view ToString(ModelState state);
std::string_view ToString(JobState state);
std::string_view ToString(ServerState state);
std::optional<ModelState> ModelStateFromString(std::string_view text);
std::optional<JobState> JobStateFromString(std::string_view text);
std::optional<ServerState> ServerStateFromString(std::string_view text);

inline bool IsTerminal(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed ||
         state == JobState::kCancelled;
}

// The life of a job. Nothing follows an end; a job that an earlier daemon left running goes back to
// the queue, one that it left cancelling is taken over as that.
bool MayFollow(JobState from, JobState to);

// An error as users, programs and files see it.
struct ErrorRecord {
  std::string code;
  std::string message;
  std::string next_step;
};
ErrorRecord ToErrorRecord(const Status& status);
// A status with the record's code and next step attached.
Status ToStatus(const ErrorRecord& record, StatusCode code);

struct ModelRecord {
  std::string name;         // the repository id, or what --name said
  std::string folder_name;  // below models/
  ModelState state = ModelState::kInstalling;
  std::string engine;
  WallTime installed_at{};
  int64_t bytes_on_disk = 0;
  int64_t memory_bytes = 0;  // admission's figure
  std::vector<std::string> aliases;
  ModelProfile profile;
};

struct JobRecord {
  std::string id;
  std::string kind;             // install | remove
  std::string idempotency_key;  // unique among jobs that have not ended; empty: none
  std::string subject;          // the model
  std::string payload;          // JSON: what the job's runner needs, never a token
  JobState state = JobState::kQueued;
  std::string step;
  int attempt = 0;
  int crashes = 0;  // attempts that ended with the daemon
  int64_t owner_epoch = 0;
  std::optional<ErrorRecord> error;
  WallTime created_at{};
  WallTime updated_at{};
  // Last values only; not stored.
  double progress = 0;  // 0..1
  int64_t bytes_done = 0;
  int64_t bytes_total = 0;
  std::optional<double> eta_seconds;
};

struct JobEventRecord {
  int64_t sequence = 0;  // 1, 2, 3, ... per job; 0 for progress, which is not stored
  WallTime time{};
  std::string type;  // state | step | log | progress
  std::string message;
  JobRecord job;  // as it is after the event
};

struct ServerRecord {
  std::string model;
  std::string folder_name;
  ServerState state = ServerState::kStopped;
  std::string engine;
  int64_t pid = 0;
  std::string endpoint;  // "unix:///..." or "http://127.0.0.1:N"
  int64_t memory_bytes = 0;
  int64_t reserved_bytes = 0;
  std::optional<WallTime> started_at;
  std::optional<WallTime> last_used_at;
  int in_flight = 0;
  std::string reason;
};

}  // namespace llmd
