// JobWatcher: feeds one client's view of one job: every durable event after a sequence number, then
// new ones as they happen, each once and in order, until the job has ended. Thread-safe.
#pragma once

#include <llmd/v1/jobs.pb.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "domain/event.h"
#include "rpc/server_stream.h"

namespace llmd::rpc {

class JobWatcher : public std::enable_shared_from_this<JobWatcher> {
 public:
  using Stream = ServerStream<v1::JobEvent>;

  JobWatcher(std::string id, int64_t after_sequence, std::shared_ptr<Stream> stream)
      : id_(std::move(id)), last_sequence_(after_sequence), stream_(std::move(stream)) {}

  // Subscribes. Called first, so that nothing falls between what is stored and what is live.
  void Follow(llmd::EventStream& events);
  // What is stored, then the live events that came meanwhile. `job` is as the events left it.
  void Replay(const std::vector<JobEventRecord>& stored, const JobRecord& job);

 private:
  void OnEvent(const JobEventRecord& event);
  void Forward(const JobEventRecord& event) LLMD_REQUIRES(mutex_);

  const std::string id_;
  Mutex mutex_;
  int64_t last_sequence_ LLMD_GUARDED_BY(mutex_);
  bool replayed_ LLMD_GUARDED_BY(mutex_) = false;
  std::vector<JobEventRecord> early_ LLMD_GUARDED_BY(mutex_);  // came before the replay
  const std::shared_ptr<Stream> stream_;
  llmd::EventStream::Subscription subscription_;
};

}  // namespace llmd::rpc
