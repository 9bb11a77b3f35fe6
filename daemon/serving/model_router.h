// ModelRouter: turns a model's name into a running server. Acquire starts an installed model on its
// first request, joins concurrent ones, and hands out leases; a lease counts as in use. Joins
// registry, supervisor and scheduler. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "domain/plan.h"
#include "domain/states.h"

namespace llmd::serving {

// The right to send a request to a running server. Releases itself when destroyed; movable.
class Lease {
 public:
  struct Target {
    std::string model;  // the installed name
    std::string kind;
    std::vector<std::string> capabilities;
    std::string endpoint;             // "unix:///..." or "http://127.0.0.1:N"
    std::vector<std::string> routes;  // allow-list: "POST /v1/chat/completions"
    std::string served_name;          // the name that the model server itself expects in "model"
  };
  Lease() = default;
  Lease(Target target, std::function<void()> release)
      : target_(std::move(target)), release_(std::move(release)) {}
  Lease(Lease&& other) noexcept { *this = std::move(other); }
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      Reset();
      target_ = std::move(other.target_);
      release_ = std::exchange(other.release_, nullptr);
    }
    return *this;
  }
  ~Lease() { Reset(); }

  const Target& target() const { return target_; }
  bool Allows(std::string_view method, std::string_view path) const;
  void Reset() {
    if (auto release = std::exchange(release_, nullptr)) release();
  }

 private:
  Target target_;
  std::function<void()> release_;
};

class ModelRouter {
 public:
  using AcquireDone = std::function<void(StatusOr<Lease>)>;
  using ServerDone = std::function<void(StatusOr<ServerRecord>)>;

  virtual ~ModelRouter() = default;

  // Finds an installed model by its name, a unique short form (the part after the slash, in any
  // case) or an alias. kNotFound (code "model_not_found") or kInvalidArgument (code
  // "ambiguous_model", listing the candidates). Memory only: never blocks, may be called on an io
  // thread.
  virtual StatusOr<ModelRecord> Resolve(std::string_view name) = 0;

  // `done` is called exactly once, possibly before this returns, else on another thread. Errors as
  // Resolve; kResourceExhausted (code "does_not_fit") with the figures; kUnavailable (code
  // "server_failed"); kCancelled. Never blocks.
  virtual void Acquire(std::string_view name, CancelToken cancel, AcquireDone done) = 0;

  // By hand: start (no lease), stop, restart.
  virtual void Start(std::string_view name, CancelToken cancel, ServerDone done) = 0;
  virtual void Stop(std::string_view name, double grace_seconds, ServerDone done) = 0;

  // Installed models with their states; servers that are not stopped. Memory only.
  virtual std::vector<ModelRecord> Models() = 0;
  virtual std::vector<ServerRecord> Servers() = 0;
  virtual StatusOr<ServerRecord> Server(std::string_view name) = 0;
};

}  // namespace llmd::serving
