#include "rpc/job_watcher.h"

#include <variant>

#include "rpc/convert.h"

namespace llmd::rpc {

void JobWatcher::Follow(llmd::EventStream& events) {
  subscription_ = events.Subscribe([weak = weak_from_this()](const Event& event) {
    const auto* changed = std::get_if<JobChanged>(&event);
    if (changed == nullptr) return;
    const auto watcher = weak.lock();
    if (watcher && changed->event.job.id == watcher->id_) watcher->OnEvent(changed->event);
  });
}

void JobWatcher::OnEvent(const JobEventRecord& event) {
  MutexLock lock(mutex_);
  if (replayed_) {
    Forward(event);
  } else {
    early_.push_back(event);
  }
}

void JobWatcher::Replay(const std::vector<JobEventRecord>& stored, const JobRecord& job) {
  MutexLock lock(mutex_);
  replayed_ = true;
  for (const JobEventRecord& event : stored) {
    last_sequence_ = event.sequence;
    stream_->PushBacklog(ToProto(event));
  }
  for (const JobEventRecord& event : early_) Forward(event);
  early_.clear();
  if (IsTerminal(job.state)) stream_->Close(OkStatus());
}

void JobWatcher::Forward(const JobEventRecord& event) {
  if (event.sequence == 0) {
    stream_->Push(ToProto(event), "progress");
    return;
  }
  if (event.sequence <= last_sequence_) return;
  last_sequence_ = event.sequence;
  stream_->Push(ToProto(event));
  if (event.type == "state" && IsTerminal(event.job.state)) stream_->Close(OkStatus());
}

}  // namespace llmd::rpc
