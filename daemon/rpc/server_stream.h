// The one adapter for server-streaming RPCs: a bounded queue between whoever publishes and a
// client that reads at its own pace. Thread-safe; Push and Close may come from any thread.
//
//   auto stream = ServerStream<v1::JobEvent>::Make();
//   ... hand out shared_ptrs or weak_ptrs of it to publishers ...
//   return stream->Reactor();
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/status.h"
#include "rpc/status.h"

namespace llmd::rpc {

template <typename T>
class ServerStream final : public grpc::ServerWriteReactor<T>,
                           public std::enable_shared_from_this<ServerStream<T>> {
 public:
  static constexpr size_t kMaxQueued = 1024;

  static std::shared_ptr<ServerStream> Make() {
    auto stream = std::make_shared<ServerStream>();
    stream->self_ = stream;
    return stream;
  }

  // Use Make.
  ServerStream() = default;

  // What the service's method returns. The head is sent at once, so that the client knows that the
  // stream is up before the first event.
  ServerStream* Reactor() {
    this->StartSendInitialMetadata();
    return this;
  }

  // Fires when the client is gone, or the stream has ended.
  CancelToken token() const { return cancel_.token(); }

  // Keeps the one that feeds this stream alive until the client is gone. It may hold the stream:
  // the circle is cut here. Once, before the service's method returns.
  void Keep(std::shared_ptr<void> feeder) { feeder_ = std::move(feeder); }

  // Called whenever everything queued has been sent: for feeders that read at the client's pace.
  // Must not block. Once, before the first event.
  void OnDrained(std::function<void()> drained) { drained_ = std::move(drained); }

  // Queues an event. A waiting event with the same non-empty `key` is replaced by it: for values of
  // which only the last one matters. A reader that falls too far behind is ended with
  // RESOURCE_EXHAUSTED. False when the stream has ended.
  bool Push(T event, std::string_view key = {}) {
    Action action;
    {
      MutexLock lock(mutex_);
      if (closing_) return false;
      if (Replace(event, key)) return true;
      if (queue_.size() - backlog_ >= kMaxQueued) {
        Drop();
        Closing(MakeStatus(StatusCode::kResourceExhausted, "this watcher is too slow",
                           {.code = "watcher_too_slow", .next_step = "Watch again."}));
      } else {
        queue_.push_back({std::string(key), std::move(event)});
      }
      action = Next();
    }
    Perform(action);
    return true;
  }

  // Queues what was there before the client came: not counted against the bound, since the reader
  // cannot have been too slow for it. Before the first Push.
  bool PushBacklog(T event) {
    Action action;
    {
      MutexLock lock(mutex_);
      if (closing_) return false;
      queue_.push_back({{}, std::move(event)});
      ++backlog_;
      action = Next();
    }
    Perform(action);
    return true;
  }

  // Ends the stream after what is queued.
  void Close(const Status& status) {
    Action action;
    {
      MutexLock lock(mutex_);
      if (closing_) return;
      Closing(status);
      action = Next();
    }
    Perform(action);
  }

  // Events that wait for the reader.
  size_t queued() const {
    MutexLock lock(mutex_);
    return queue_.size();
  }

 private:
  struct Queued {
    std::string key;
    T event;
  };
  enum class Action { kNothing, kWrite, kFinish };

  bool Replace(T& event, std::string_view key) LLMD_REQUIRES(mutex_) {
    if (key.empty()) return false;
    for (Queued& waiting : queue_) {
      if (waiting.key != key) continue;
      waiting.event = std::move(event);
      return true;
    }
    return false;
  }

  void Drop() LLMD_REQUIRES(mutex_) {
    queue_.clear();
    backlog_ = 0;
  }

  void Closing(const Status& status) LLMD_REQUIRES(mutex_) {
    closing_ = true;
    final_ = status;
  }

  // Decides under the lock what is done outside of it: gRPC may call back from within.
  Action Next() LLMD_REQUIRES(mutex_) {
    if (writing_ || finished_) return Action::kNothing;
    if (!queue_.empty()) {
      current_ = std::move(queue_.front().event);
      queue_.pop_front();
      if (backlog_ > 0) --backlog_;
      writing_ = true;
      return Action::kWrite;
    }
    if (!closing_) return Action::kNothing;
    finished_ = true;
    return Action::kFinish;
  }

  void Perform(Action action) {
    if (action == Action::kWrite) this->StartWrite(&current_);
    if (action == Action::kFinish) this->Finish(ToGrpc(final_));
  }

  void OnWriteDone(bool ok) override {
    Action action;
    bool drained = false;
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) {
        Drop();
        if (!closing_) Closing(Cancelled());
      }
      action = Next();
      drained = action == Action::kNothing && !closing_;
    }
    Perform(action);
    if (drained && drained_) drained_();
  }

  void OnCancel() override {
    cancel_.Cancel();
    Action action;
    {
      MutexLock lock(mutex_);
      Drop();
      if (!closing_) Closing(Cancelled());
      action = Next();
    }
    Perform(action);
  }

  void OnDone() override {
    cancel_.Cancel();
    const auto self = std::move(self_);  // may be the last reference
    feeder_.reset();
  }

  CancelSource cancel_;
  std::shared_ptr<ServerStream> self_;  // held while gRPC uses the reactor
  std::shared_ptr<void> feeder_;
  std::function<void()> drained_;
  T current_;     // being written; touched only between Next and OnWriteDone
  Status final_;  // set once, before finished_
  mutable Mutex mutex_;
  std::deque<Queued> queue_ LLMD_GUARDED_BY(mutex_);
  size_t backlog_ LLMD_GUARDED_BY(mutex_) = 0;  // of the queue's front
  bool writing_ LLMD_GUARDED_BY(mutex_) = false;
  bool closing_ LLMD_GUARDED_BY(mutex_) = false;
  bool finished_ LLMD_GUARDED_BY(mutex_) = false;
};

// A stream that was refused before it began.
template <typename T>
grpc::ServerWriteReactor<T>* RefusedStream(const Status& status) {
  auto stream = ServerStream<T>::Make();
  stream->Close(status);
  return stream.get();
}

}  // namespace llmd::rpc
