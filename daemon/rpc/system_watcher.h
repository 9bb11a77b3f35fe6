// SystemWatcher: feeds one client the state of everything: a snapshot first, then every change.
// Each event is the last value of one model, server, job or the memory ledger, so a slow client
// sees fewer of them, never a stale end. Thread-safe.
#pragma once

#include <llmd/v1/system.pb.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "domain/event.h"
#include "rpc/server_stream.h"

namespace llmd::rpc {

class SystemWatcher : public std::enable_shared_from_this<SystemWatcher> {
 public:
  using Stream = ServerStream<v1::SystemEvent>;
  // Writes a model with its server's state; called on publishing threads.
  using DescribeModel = std::function<v1::Model(const ModelRecord&)>;

  SystemWatcher(DescribeModel describe, std::shared_ptr<Stream> stream)
      : describe_(std::move(describe)), stream_(std::move(stream)) {}

  // Subscribes. Called before the snapshot is taken, so that nothing falls between.
  void Follow(llmd::EventStream& events);
  // Sends the snapshot, then what happened meanwhile.
  void Begin(v1::SystemSnapshot snapshot);

 private:
  struct Change {
    std::string key;
    v1::SystemEvent event;
  };
  void OnEvent(const Event& event);
  Change ToChange(const Event& event) const;

  const DescribeModel describe_;
  Mutex mutex_;
  bool begun_ LLMD_GUARDED_BY(mutex_) = false;
  std::vector<Change> early_ LLMD_GUARDED_BY(mutex_);
  const std::shared_ptr<Stream> stream_;
  llmd::EventStream::Subscription subscription_;
};

}  // namespace llmd::rpc
