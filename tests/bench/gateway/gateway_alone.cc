// The gateway with one model whose server is always ready: what llmd adds to a request, without the
// parts that are not on a request's way.
//
//   gateway_alone --listen 127.0.0.1:9202 --upstream /tmp/up.sock [--model m1] [--threads 1]
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "bench/gateway/flags.h"
#include "gateway/gateway.h"

namespace {

using llmd::StatusOr;
using llmd::serving::Lease;

// Hands out leases on one server.
class OneModel final : public llmd::serving::ModelRouter {
 public:
  explicit OneModel(Lease::Target target) : target_(std::move(target)) {
    record_.name = target_.model;
    record_.state = llmd::ModelState::kInstalled;
  }
  StatusOr<llmd::ModelRecord> Resolve(std::string_view name) override {
    if (name == target_.model) return record_;
    return llmd::NotFound("no model named '{}'", name);
  }
  void Acquire(std::string_view name, llmd::CancelToken, AcquireDone done) override {
    if (name != target_.model) return done(llmd::NotFound("no model named '{}'", name));
    done(Lease(target_, [] {}));
  }
  void Start(std::string_view, llmd::CancelToken, ServerDone done) override { done(Server("")); }
  void Stop(std::string_view, double, ServerDone done) override { done(Server("")); }
  std::vector<llmd::ModelRecord> Models() override { return {record_}; }
  std::vector<llmd::ServerRecord> Servers() override { return {}; }
  StatusOr<llmd::ServerRecord> Server(std::string_view) override {
    return llmd::NotFound("no server");
  }

 private:
  const Lease::Target target_;
  llmd::ModelRecord record_;
};

}  // namespace

int main(int argc, char** argv) {
  llmd::gateway::GatewayOptions options;
  std::string upstream = "/tmp/llmd-bench-upstream.sock";
  std::string model = "m1";
  long threads = 1;
  if (!llmd::bench::ParseFlags(
          argc, argv, {{"listen", &options.listen}, {"upstream", &upstream}, {"model", &model}},
          {{"threads", &threads}})) {
    return 2;
  }
  options.io_threads = static_cast<int>(threads);
  options.token = "no client of a load test needs it";
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  OneModel router({.model = model,
                   .kind = "llm",
                   .capabilities = {"chat"},
                   .endpoint = "unix://" + upstream,
                   .routes = {"POST /v1/chat/completions"},
                   .served_name = model});
  llmd::Metrics metrics;
  const auto gateway = MakeGateway({.router = router, .metrics = metrics}, options);
  const auto address = gateway->Start();
  if (!address.ok()) {
    std::fprintf(stderr, "%s\n", llmd::Message(address.status()).c_str());
    return 1;
  }
  std::printf("%s\n", address->c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  gateway->Stop(std::chrono::milliseconds(0));
}
