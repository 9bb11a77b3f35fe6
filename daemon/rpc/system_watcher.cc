#include "rpc/system_watcher.h"

#include <variant>

#include "rpc/convert.h"

namespace llmd::rpc {

void SystemWatcher::Follow(llmd::EventStream& events) {
  subscription_ = events.Subscribe([weak = weak_from_this()](const Event& event) {
    if (const auto watcher = weak.lock()) watcher->OnEvent(event);
  });
}

void SystemWatcher::OnEvent(const Event& event) {
  const auto* job = std::get_if<JobChanged>(&event);
  // Log lines belong to who watches the job.
  if (job != nullptr && job->event.type == "log") return;
  Change change = ToChange(event);
  MutexLock lock(mutex_);
  if (begun_) {
    stream_->Push(std::move(change.event), change.key);
  } else {
    early_.push_back(std::move(change));
  }
}

void SystemWatcher::Begin(v1::SystemSnapshot snapshot) {
  v1::SystemEvent first;
  *first.mutable_snapshot() = std::move(snapshot);
  MutexLock lock(mutex_);
  begun_ = true;
  stream_->Push(std::move(first));
  for (Change& change : early_) stream_->Push(std::move(change.event), change.key);
  early_.clear();
}

SystemWatcher::Change SystemWatcher::ToChange(const Event& event) const {
  Change change;
  v1::SystemEvent& out = change.event;
  if (const auto* model = std::get_if<ModelChanged>(&event)) {
    change.key = "model " + model->model.name;
    *out.mutable_model() = describe_(model->model);
  } else if (const auto* removed = std::get_if<ModelRemoved>(&event)) {
    change.key = "model " + removed->name;
    out.set_model_removed(removed->name);
  } else if (const auto* server = std::get_if<ServerChanged>(&event)) {
    change.key = "server " + server->server.model;
    *out.mutable_server() = ToProto(server->server);
  } else if (const auto* job = std::get_if<JobChanged>(&event)) {
    change.key = "job " + job->event.job.id;
    *out.mutable_job() = ToProto(job->event.job);
  } else if (const auto* memory = std::get_if<MemoryChanged>(&event)) {
    change.key = "memory";
    *out.mutable_memory() = ToProto(*memory);
  }
  return change;
}

}  // namespace llmd::rpc
