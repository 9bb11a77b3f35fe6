#include <optional>
#include <utility>

#include "registry/sqlite_registry.h"

namespace llmd::registry {

const char kJobColumns[] =
    "state, step, attempt, crashes, owner_epoch, error_code, error_message, error_next_step, "
    "id, kind, idempotency_key, subject, payload, created_at, updated_at";
// The first eight are those of a job.
const char kEventColumns[] =
    "state, step, attempt, crashes, owner_epoch, error_code, error_message, error_next_step, "
    "sequence, time, type, message";

namespace {

// What of a job's past is kept.
constexpr int kEndedJobsKept = 1000;

// The columns that jobs and events have in common.
void ReadProgress(SQLite::Statement& row, JobRecord& job) {
  job.state = JobStateFromString(row.getColumn(0).getString()).value_or(JobState::kFailed);
  job.step = row.getColumn(1).getString();
  job.attempt = row.getColumn(2).getInt();
  job.crashes = row.getColumn(3).getInt();
  job.owner_epoch = row.getColumn(4).getInt64();
  job.error.reset();
  if (!row.getColumn(5).isNull()) {
    job.error = ErrorRecord{.code = row.getColumn(5).getString(),
                            .message = row.getColumn(6).getString(),
                            .next_step = row.getColumn(7).getString()};
  }
}

void BindProgress(SQLite::Statement& statement, const JobRecord& job) {
  statement.bind(1, ToText(ToString(job.state)));
  statement.bind(2, job.step);
  statement.bind(3, job.attempt);
  statement.bind(4, job.crashes);
  statement.bind(5, job.owner_epoch);
  if (!job.error) return;  // unbound is NULL
  statement.bind(6, job.error->code);
  statement.bind(7, job.error->message);
  statement.bind(8, job.error->next_step);
}

JobRecord ReadJob(SQLite::Statement& row) {
  JobRecord job{.id = row.getColumn(8).getString(),
                .kind = row.getColumn(9).getString(),
                .idempotency_key = row.getColumn(10).getString(),
                .subject = row.getColumn(11).getString(),
                .payload = row.getColumn(12).getString(),
                .created_at = FromMicroseconds(row.getColumn(13).getInt64()),
                .updated_at = FromMicroseconds(row.getColumn(14).getInt64())};
  ReadProgress(row, job);
  return job;
}

}  // namespace

Status SqliteRegistry::Probe() {
  return Read([&] {
    const std::pair<const char*, const char*> tables[] = {
        {"model", kModelColumns}, {"alias", "alias, model"},    {"epoch", "id, value"},
        {"job", kJobColumns},     {"job_event", kEventColumns}, {"server", kServerColumns}};
    for (const auto& [table, columns] : tables) {
      try {
        Prepare(fmt::format("SELECT {} FROM {} LIMIT 1", columns, table)).executeStep();
      } catch (const SQLite::Exception& error) {
        return Damaged(fmt::format("table {}: {}", table, error.what()));
      }
    }
    return OkStatus();
  });
}

StatusOr<int64_t> SqliteRegistry::BeginEpoch() {
  return Write([&]() -> StatusOr<int64_t> {
    database_->exec("UPDATE epoch SET value = value + 1");
    return database_->execAndGet("SELECT value FROM epoch").getInt64();
  });
}

StatusOr<JobRecord> SqliteRegistry::InsertJob(const JobRecord& job) {
  return Write([&]() -> StatusOr<JobRecord> {
    SQLite::Statement same = Prepare(fmt::format(
        "SELECT {} FROM job WHERE idempotency_key = ? AND idempotency_key <> '' AND state IN "
        "('queued', 'running', 'cancelling')",
        kJobColumns));
    same.bind(1, job.idempotency_key);
    if (same.executeStep()) return ReadJob(same);
    JobRecord added = job;
    added.state = JobState::kQueued;
    SQLite::Statement insert = Prepare(fmt::format(
        "INSERT INTO job ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kJobColumns));
    BindProgress(insert, added);
    insert.bind(9, added.id);
    insert.bind(10, added.kind);
    insert.bind(11, added.idempotency_key);
    insert.bind(12, added.subject);
    insert.bind(13, added.payload);
    insert.bind(14, ToMicroseconds(added.created_at));
    insert.bind(15, ToMicroseconds(added.updated_at));
    insert.exec();
    LLMD_RETURN_IF_ERROR(AddEvent(added.id, added.created_at, "state", "queued").status());
    LLMD_RETURN_IF_ERROR(PruneEndedJobs());
    return FindJob(added.id);
  });
}

Status SqliteRegistry::PruneEndedJobs() {
  SQLite::Statement prune = Prepare(
      "DELETE FROM job WHERE number IN (SELECT number FROM job WHERE state IN "
      "('succeeded', 'failed', 'cancelled') ORDER BY number DESC LIMIT -1 OFFSET ?)");
  prune.bind(1, kEndedJobsKept);
  prune.exec();
  return OkStatus();
}

StatusOr<JobRecord> SqliteRegistry::FindJob(std::string_view id) {
  SQLite::Statement row = Prepare(fmt::format("SELECT {} FROM job WHERE id = ?", kJobColumns));
  row.bind(1, ToText(id));
  if (row.executeStep()) return ReadJob(row);
  return MakeStatus(StatusCode::kNotFound, fmt::format("there is no job '{}'", id),
                    {.code = "job_not_found", .next_step = "See the jobs with: llmctl jobs"});
}

StatusOr<JobEventRecord> SqliteRegistry::AddEvent(std::string_view id, WallTime time,
                                                  std::string_view type, std::string_view message) {
  LLMD_ASSIGN_OR_RETURN(JobRecord job, FindJob(id));
  SQLite::Statement insert = Prepare(
      fmt::format("INSERT INTO job_event ({}, job) SELECT ?, ?, ?, ?, ?, ?, ?, ?, "
                  "1 + (SELECT coalesce(max(sequence), 0) FROM job_event WHERE job = job.number), "
                  "?, ?, ?, number FROM job WHERE id = ? RETURNING sequence",
                  kEventColumns));
  BindProgress(insert, job);
  insert.bind(9, ToMicroseconds(time));
  insert.bind(10, ToText(type));
  insert.bind(11, ToText(message));
  insert.bind(12, job.id);
  insert.executeStep();
  const int64_t sequence = insert.getColumn(0).getInt64();
  insert.executeStep();  // to its end, so that the row is in
  return JobEventRecord{.sequence = sequence,
                        .time = time,
                        .type = ToText(type),
                        .message = ToText(message),
                        .job = std::move(job)};
}

Status SqliteRegistry::WhyUnchanged(const JobRecord& job) {
  LLMD_ASSIGN_OR_RETURN(const JobRecord found, FindJob(job.id));
  return MakeStatus(
      StatusCode::kFailedPrecondition,
      fmt::format("job {} is {} and belongs to epoch {}; the write came from epoch {}", job.id,
                  ToString(found.state), found.owner_epoch, job.owner_epoch),
      {.code = "job_moved_on", .next_step = ""});
}

StatusOr<JobEventRecord> SqliteRegistry::TransitionJob(const JobRecord& job, JobState from,
                                                       std::string_view message) {
  return Write([&]() -> StatusOr<JobEventRecord> {
    if (!MayFollow(from, job.state)) {
      return FailedPrecondition("a job that is {} cannot become {}", ToString(from),
                                ToString(job.state));
    }
    SQLite::Statement move = Prepare(
        "UPDATE job SET state = ?1, step = ?2, attempt = ?3, crashes = ?4, owner_epoch = ?5, "
        "error_code = ?6, error_message = ?7, error_next_step = ?8, updated_at = ?9 "
        "WHERE id = ?10 AND state = ?11 AND owner_epoch <= ?5 "
        "AND ?5 = (SELECT value FROM epoch)");
    BindProgress(move, job);
    move.bind(9, ToMicroseconds(job.updated_at));
    move.bind(10, job.id);
    move.bind(11, ToText(ToString(from)));
    if (move.exec() != 1) return WhyUnchanged(job);
    return AddEvent(job.id, job.updated_at, "state", message);
  });
}

StatusOr<JobEventRecord> SqliteRegistry::AppendJobEvent(const JobRecord& job, std::string_view type,
                                                        std::string_view message) {
  return Write([&]() -> StatusOr<JobEventRecord> {
    SQLite::Statement move = Prepare(
        "UPDATE job SET step = ?1, updated_at = ?2 WHERE id = ?3 AND owner_epoch = ?4 "
        "AND state IN ('running', 'cancelling') AND ?4 = (SELECT value FROM epoch)");
    move.bind(1, job.step);
    move.bind(2, ToMicroseconds(job.updated_at));
    move.bind(3, job.id);
    move.bind(4, job.owner_epoch);
    if (move.exec() != 1) return WhyUnchanged(job);
    return AddEvent(job.id, job.updated_at, type, message);
  });
}

StatusOr<JobRecord> SqliteRegistry::GetJob(std::string_view id) {
  return Read([&] { return FindJob(id); });
}

StatusOr<std::vector<JobRecord>> SqliteRegistry::ListJobs(bool active_only) {
  return Read([&]() -> StatusOr<std::vector<JobRecord>> {
    SQLite::Statement row = Prepare(
        fmt::format("SELECT {} FROM job {} ORDER BY number DESC", kJobColumns,
                    active_only ? "WHERE state IN ('queued', 'running', 'cancelling')" : ""));
    std::vector<JobRecord> jobs;
    while (row.executeStep()) jobs.push_back(ReadJob(row));
    return jobs;
  });
}

StatusOr<std::vector<JobEventRecord>> SqliteRegistry::ListJobEvents(std::string_view id,
                                                                    int64_t after_sequence) {
  return Read([&]() -> StatusOr<std::vector<JobEventRecord>> {
    LLMD_ASSIGN_OR_RETURN(JobRecord job, FindJob(id));
    SQLite::Statement row = Prepare(
        fmt::format("SELECT {} FROM job_event WHERE job = (SELECT number FROM job WHERE id = ?) "
                    "AND sequence > ? ORDER BY sequence",
                    kEventColumns));
    row.bind(1, ToText(id));
    row.bind(2, after_sequence);
    std::vector<JobEventRecord> events;
    while (row.executeStep()) {
      ReadProgress(row, job);
      job.updated_at = FromMicroseconds(row.getColumn(9).getInt64());
      events.push_back({.sequence = row.getColumn(8).getInt64(),
                        .time = job.updated_at,
                        .type = row.getColumn(10).getString(),
                        .message = row.getColumn(11).getString(),
                        .job = job});
    }
    return events;
  });
}

}  // namespace llmd::registry
