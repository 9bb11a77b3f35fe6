#include "http/upstream_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "base/thread.h"
#include "http/exchange.h"

namespace llmd::http {
namespace {

struct Call {
  UpstreamRequest request;
  UpstreamHandler handler;
  CancelToken cancel;
  std::optional<Exchange> exchange;
};

bool IsVisible(std::string_view text) {
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7f) return false;
  }
  return !text.empty();
}

std::string HeadOf(const UpstreamRequest& request) {
  std::string head =
      fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n", request.method, request.target);
  if (!request.body.empty() || request.method == "POST") {
    AppendField(head, "Content-Type", "application/json");
    AppendField(head, "Content-Length", request.body.size());
  }
  return head + "\r\n";
}

asio::awaitable<Status> Perform(Call& call) {
  if (call.cancel.IsCancelled()) co_return Cancelled();
  const std::string head = HeadOf(call.request);
  Outgoing outgoing;
  outgoing.head = head;
  outgoing.body.push_back(call.request.body);
  outgoing.is_head = call.request.method == "HEAD";
  const Status sent = co_await call.exchange->Send(outgoing);
  if (!sent.ok()) co_return sent;
  const ResponseHead& answer = call.exchange->head();
  if (call.handler.on_head) call.handler.on_head(answer.status, answer.Get("content-type"));
  std::vector<std::string_view> pieces;
  for (;;) {
    const Status read = co_await call.exchange->Read(pieces);
    if (!read.ok() || pieces.empty()) co_return read;
    for (const std::string_view piece : pieces) {
      if (call.handler.on_data) call.handler.on_data(piece);
    }
    if (call.cancel.IsCancelled()) co_return Cancelled();
  }
}

class AsioUpstreamClient final : public UpstreamClient {
 public:
  AsioUpstreamClient() : pool_(io_.get_executor()), work_(io_.get_executor()) {
    thread_ = JoiningThread("http-upstream", [this] { io_.run(); });
  }

  ~AsioUpstreamClient() override {
    asio::post(io_, [this] {
      for (Call* call : live_) call->exchange->Cancel();
      pool_.Close();
      work_.reset();
    });
    thread_.Join();
  }

  void Send(UpstreamRequest request, UpstreamHandler handler, CancelToken cancel) override {
    auto call = std::make_shared<Call>();
    call->request = std::move(request);
    call->handler = std::move(handler);
    call->cancel = std::move(cancel);
    asio::post(io_, [this, call] { asio::co_spawn(io_, Run(call), asio::detached); });
  }

 private:
  asio::awaitable<void> Run(std::shared_ptr<Call> call) {
    StatusOr<Endpoint> endpoint = ParseEndpoint(call->request.endpoint);
    Status status = endpoint.status();
    if (status.ok() && (!IsVisible(call->request.target) || !IsVisible(call->request.method))) {
      status = InvalidArgument("'{}' is not a request target", call->request.target);
    }
    if (status.ok()) {
      call->exchange.emplace(pool_, *std::move(endpoint));
      live_.insert(call.get());
      const CancelRegistration registration = WatchCancel(call);
      status = co_await Perform(*call);
      live_.erase(call.get());
    }
    // The connection is closed before the caller hears of the end.
    call->exchange.reset();
    if (call->handler.on_end) call->handler.on_end(status);
  }

  CancelRegistration WatchCancel(const std::shared_ptr<Call>& call) {
    return call->cancel.OnCancel([this, weak = std::weak_ptr<Call>(call)] {
      asio::post(io_, [weak] {
        if (const auto call = weak.lock(); call && call->exchange) call->exchange->Cancel();
      });
    });
  }

  asio::io_context io_{1};
  UpstreamPool pool_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::set<Call*> live_;
  JoiningThread thread_;
};

}  // namespace

std::unique_ptr<UpstreamClient> MakeUpstreamClient() {
  return std::make_unique<AsioUpstreamClient>();
}

}  // namespace llmd::http
