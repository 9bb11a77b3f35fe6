#include "gateway/gateway.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "base/logging.h"
#include "gateway/io_thread.h"
#include "gateway/listener.h"
#include "gateway/openai_error.h"
#include "gateway/session.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;
using std::chrono::milliseconds;

constexpr size_t kShortestToken = 16;
constexpr milliseconds kAbortLimit{2000};
constexpr milliseconds kCloseLimit{2000};

int ThreadCount(int wanted) {
  if (wanted > 0) return wanted;
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return cores <= 4 ? 1 : std::min(4, cores / 2);
}

// Never so many connections that the daemon has no descriptors left for its other work.
size_t ConnectionLimit(size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  return std::min(wanted, std::max<size_t>(16, limit.rlim_cur / 3));
}

Status OpenWithoutToken() {
  return MakeStatus(StatusCode::kFailedPrecondition,
                    "llmd does not listen beyond this machine without a token",
                    {.code = "open_without_token",
                     .next_step = "Listen on 127.0.0.1, or see that run/token can be read."});
}

const std::string& FullAnswer() {
  static const std::string answer = [] {
    const Status full = MakeStatus(StatusCode::kUnavailable, "too many connections",
                                   {.code = "too_busy", .next_step = "Try again in a moment."});
    const std::string body = ErrorBody(full) + "\n";
    return fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\nRetry-After: 1\r\nConnection: close\r\n\r\n{}",
        body.size(), body);
  }();
  return answer;
}

class AsioGateway final : public Gateway {
 public:
  AsioGateway(GatewayParts parts, GatewayOptions options)
      : state_(std::move(parts), std::move(options)) {}

  ~AsioGateway() override { Stop(milliseconds(0)); }

  StatusOr<std::string> Start() override {
    const GatewayOptions& options = state_.options;
    LLMD_ASSIGN_OR_RETURN(state_.files, StaticFiles::Load(options.dashboard));
    state_.options.limits.connections = ConnectionLimit(options.limits.connections);
    for (int i = ThreadCount(options.io_threads); i > 0; --i) {
      threads_.push_back(std::make_unique<IoThread>(state_.parts.metrics));
    }
    listener_.emplace(
        threads_[0]->io, [this]() -> asio::io_context& { return NextThread().io; },
        [this](asio::io_context& io, http::Socket socket) { OnClient(io, std::move(socket)); });
    LLMD_RETURN_IF_ERROR(options.inherited_socket >= 0 ? listener_->Adopt(options.inherited_socket)
                                                       : listener_->Open(options.listen));
    const auto address = listener_->address();
    const bool loopback = address.address().is_loopback();
    if (!loopback && options.token.size() < kShortestToken) return OpenWithoutToken();
    state_.access = AccessPolicy({.port = address.port(),
                                  .loopback = loopback,
                                  .token = options.token,
                                  .hosts = options.allowed_hosts,
                                  .origins = options.allowed_origins});
    listener_->Start();
    for (const auto& thread : threads_) Run(*thread);
    return ToUrl(address);
  }

  void Stop(milliseconds limit) override {
    if (state_.draining.exchange(true)) return;
    if (!running_.empty()) {
      asio::post(threads_[0]->io, [this] { listener_->Close(); });
      OnEachThread([](IoThread& thread) {
        thread.guard.reset();
        thread.pool.Close();
        for (Session* session : Sessions(thread)) session->Drain();
      });
      if (!AllEnded(limit)) {
        ForEachSession([](Session& session) { session.Abort(); });
      }
      if (!AllEnded(kAbortLimit)) {
        ForEachSession([](Session& session) { session.Close(); });
      }
      if (!AllEnded(kCloseLimit)) {
        for (const auto& thread : threads_) thread->io.stop();
      }
      for (const auto& thread : threads_) thread->thread.Join();
      state_.work.join();
    }
    listener_.reset();
    threads_.clear();
  }

 private:
  // A copy: a session that closes may leave the set.
  static std::vector<Session*> Sessions(IoThread& thread) {
    return {thread.sessions.begin(), thread.sessions.end()};
  }

  void Run(IoThread& thread) {
    auto ended = std::make_shared<std::promise<void>>();
    running_.push_back(ended->get_future());
    thread.thread = JoiningThread("gateway-io", [&thread, ended] {
      thread.io.run();
      ended->set_value();
    });
  }

  IoThread& NextThread() { return *threads_[next_++ % threads_.size()]; }

  void OnClient(asio::io_context& io, http::Socket socket) {
    if (++state_.connections > state_.options.limits.connections) {
      --state_.connections;
      http::PrepareSocket(socket);
      http::ErrorCode ignored;
      socket.write_some(asio::buffer(FullAnswer()), ignored);
      socket.shutdown(asio::socket_base::shutdown_send, ignored);
      return;
    }
    const auto at = std::find_if(threads_.begin(), threads_.end(),
                                 [&io](const auto& thread) { return &thread->io == &io; });
    auto held = std::make_shared<http::Socket>(std::move(socket));
    asio::dispatch(io, [this, &thread = **at, held] {
      const auto session = std::make_shared<Session>(state_, thread, std::move(*held));
      asio::co_spawn(thread.io, session->Run(), asio::detached);
    });
  }

  void OnEachThread(const std::function<void(IoThread&)>& work) {
    for (const auto& thread : threads_) {
      asio::post(thread->io, [&thread = *thread, work] { work(thread); });
    }
  }
  void ForEachSession(const std::function<void(Session&)>& work) {
    OnEachThread([work](IoThread& thread) {
      for (Session* session : Sessions(thread)) work(*session);
    });
  }
  // The threads end by themselves when their sessions have.
  bool AllEnded(milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    return std::all_of(running_.begin(), running_.end(), [until](std::future<void>& ended) {
      return ended.wait_until(until) == std::future_status::ready;
    });
  }

  GatewayState state_;
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::optional<Listener> listener_;
  std::vector<std::future<void>> running_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Gateway> MakeGateway(GatewayParts parts, GatewayOptions options) {
  return std::make_unique<AsioGateway>(std::move(parts), std::move(options));
}

int InheritedSocket(std::string_view name) {
  constexpr int kFirst = 3;
  const char* pid = ::getenv("LISTEN_PID");
  const char* fds = ::getenv("LISTEN_FDS");
  if (pid == nullptr || fds == nullptr || std::atol(pid) != static_cast<long>(::getpid())) {
    return -1;
  }
  const int count = std::atoi(fds);
  const char* names = ::getenv("LISTEN_FDNAMES");
  if (names == nullptr) return count == 1 ? kFirst : -1;
  std::string_view rest = names;
  for (int i = 0; i < count; ++i) {
    const size_t end = std::min(rest.find(':'), rest.size());
    if (rest.substr(0, end) == name) return kFirst + i;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  // systemd's own name for a single socket is its unit's.
  return count == 1 ? kFirst : -1;
}

}  // namespace llmd::gateway
