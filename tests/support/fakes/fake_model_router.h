// A ModelRouter without supervisor or registry: models and their servers are what the test says.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "serving/model_router.h"

namespace llmd::testing {

class FakeModelRouter : public serving::ModelRouter {
 public:
  // Installs a model whose server is at `target.endpoint`.
  void Add(serving::Lease::Target target) {
    std::lock_guard lock(mutex_);
    ModelRecord record;
    record.name = target.model;
    record.state = ModelState::kInstalled;
    record.engine = "fake";
    record.profile.kind = target.kind;
    record.profile.capabilities = target.capabilities;
    models_[record.name] = {std::move(target), record};
  }
  // From now on Acquire of this model waits until Finish is called.
  void HoldBack(const std::string& model) {
    std::lock_guard lock(mutex_);
    held_[model];
  }
  // Answers all who wait for a held model: with leases, or with `status`.
  void Finish(const std::string& model, const Status& status = OkStatus()) {
    std::vector<Waiter> waiters;
    {
      std::lock_guard lock(mutex_);
      waiters = std::move(held_[model]);
      held_.erase(model);
    }
    for (Waiter& waiter : waiters) {
      waiter.done(status.ok() ? LeaseOn(model) : StatusOr<serving::Lease>(status));
    }
  }
  void SetState(const std::string& model, ModelState state) {
    std::lock_guard lock(mutex_);
    models_.at(model).record.state = state;
  }
  void FailAcquire(const std::string& model, Status status) {
    std::lock_guard lock(mutex_);
    failures_[model] = std::move(status);
  }

  // Waits until nobody holds a lease.
  bool WaitForNoLeases() {
    return WaitFor([this] { return leases_ == 0; });
  }
  bool WaitForWaiters(const std::string& model, size_t count) {
    return WaitFor([&] { return held_[model].size() >= count; });
  }
  bool WaitForCancelled(int count) {
    return WaitFor([&] { return cancelled_ >= count; });
  }
  int leases() const {
    std::lock_guard lock(mutex_);
    return leases_;
  }
  std::vector<std::string> acquired() const {
    std::lock_guard lock(mutex_);
    return acquired_;
  }

  StatusOr<ModelRecord> Resolve(std::string_view name) override {
    std::lock_guard lock(mutex_);
    const auto at = models_.find(std::string(name));
    if (at == models_.end()) return NotInstalled(name);
    return at->second.record;
  }

  void Acquire(std::string_view name, CancelToken cancel, AcquireDone done) override {
    const std::string model(name);
    Status failure;
    {
      std::lock_guard lock(mutex_);
      acquired_.push_back(model);
      if (!models_.contains(model)) failure = NotInstalled(name);
      if (failures_.contains(model)) failure = failures_.at(model);
      if (failure.ok() && held_.contains(model)) {
        held_[model].push_back({.done = std::move(done), .cancel = {}});
        Waiter& waiter = held_[model].back();
        const uint64_t id = waiter.id = next_id_++;
        watches_.push_back(cancel.OnCancel([this, model, id] { CancelWaiter(model, id); }));
        changed_.notify_all();
        return;
      }
    }
    if (!failure.ok()) return done(failure);
    done(LeaseOn(model));
  }

  void Start(std::string_view name, CancelToken, ServerDone done) override { done(Server(name)); }
  void Stop(std::string_view name, double, ServerDone done) override { done(Server(name)); }

  std::vector<ModelRecord> Models() override {
    std::lock_guard lock(mutex_);
    std::vector<ModelRecord> records;
    for (const auto& [name, model] : models_) records.push_back(model.record);
    return records;
  }
  std::vector<ServerRecord> Servers() override { return {}; }
  StatusOr<ServerRecord> Server(std::string_view name) override {
    std::lock_guard lock(mutex_);
    const auto at = models_.find(std::string(name));
    if (at == models_.end()) return NotInstalled(name);
    ServerRecord record;
    record.model = at->first;
    record.state = ServerState::kReady;
    record.engine = "fake";
    record.endpoint = at->second.target.endpoint;
    record.in_flight = leases_;
    return record;
  }

 private:
  struct Model {
    serving::Lease::Target target;
    ModelRecord record;
  };
  struct Waiter {
    AcquireDone done;
    CancelRegistration cancel;
    uint64_t id = 0;
  };

  static Status NotInstalled(std::string_view name) {
    return MakeStatus(StatusCode::kNotFound, fmt::format("no model named '{}'", name),
                      {.code = "model_not_found", .next_step = "llmctl list shows the models."});
  }
  template <typename Condition>
  bool WaitFor(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), condition);
  }
  StatusOr<serving::Lease> LeaseOn(const std::string& model) {
    std::lock_guard lock(mutex_);
    ++leases_;
    return serving::Lease(models_.at(model).target, [this] {
      std::lock_guard inner(mutex_);
      --leases_;
      changed_.notify_all();
    });
  }
  void CancelWaiter(const std::string& model, uint64_t id) {
    AcquireDone done;
    {
      std::lock_guard lock(mutex_);
      const auto at = held_.find(model);
      if (at == held_.end()) return;
      std::erase_if(at->second, [&](Waiter& waiter) {
        if (waiter.id != id) return false;
        done = std::move(waiter.done);
        return true;
      });
      if (!done) return;
      ++cancelled_;
      changed_.notify_all();
    }
    done(Cancelled());
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Model> models_;
  std::map<std::string, std::vector<Waiter>> held_;
  std::map<std::string, Status> failures_;
  std::vector<CancelRegistration> watches_;
  std::vector<std::string> acquired_;
  int leases_ = 0;
  int cancelled_ = 0;
  uint64_t next_id_ = 1;
};

}  // namespace llmd::testing
