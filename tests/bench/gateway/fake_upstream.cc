// A model server for load tests: HTTP/1.1 on a Unix socket, one thread.
//
//   fake_upstream --listen /tmp/up.sock [--tokens N] [--rate PER_SECOND] [--size BYTES]
//
// A POST whose body says "stream":true gets N events, PER_SECOND each second (0: as fast as they
// are read), each with its index and the monotonic time of its writing, then [DONE]. Any other
// request gets SIZE bytes of JSON; GET /stats the counters.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "bench/gateway/flags.h"

namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using Error = boost::system::error_code;
using llmd::bench::NowNs;

struct Options {
  std::string listen = "/tmp/llmd-bench-upstream.sock";
  long tokens = 100;
  long rate = 20;
  long size = 1024;
};

struct Stats {
  long requests = 0;
  long streams = 0;
  long finished = 0;
  long cancelled = 0;
  long last_cancel_ns = 0;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(stream_protocol::socket socket, const Options& options, Stats& stats)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        options_(options),
        stats_(stats) {}

  void ReadHead() {
    asio::async_read_until(socket_, asio::dynamic_buffer(in_), "\r\n\r\n",
                           [self = shared_from_this()](const Error& error, size_t size) {
                             if (!error) self->OnHead(size);
                           });
  }

 private:
  void OnHead(size_t head) {
    constexpr std::string_view kLength = "content-length: ";
    std::string lower = in_.substr(0, head);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const size_t at = lower.find(kLength);
    const size_t length = at == lower.npos ? 0 : std::stoul(lower.substr(at + kLength.size()));
    const size_t total = head + length;
    if (in_.size() >= total) return OnRequest(head, total);
    asio::async_read(socket_, asio::dynamic_buffer(in_), asio::transfer_exactly(total - in_.size()),
                     [self = shared_from_this(), head, total](const Error& error, size_t) {
                       if (!error) self->OnRequest(head, total);
                     });
  }

  void OnRequest(size_t head, size_t total) {
    const std::string body = in_.substr(head, std::min<size_t>(total - head, 65536));
    const bool stats = in_.starts_with("GET /stats");
    in_.erase(0, total);
    if (body.find("\"stream\":true") != body.npos) return StartStream();
    if (!stats) ++stats_.requests;
    Answer(stats ? StatsJson() : Json());
  }

  std::string Json() const {
    return "{\"id\":\"x\",\"pad\":\"" + std::string(std::max(0L, options_.size - 19), 'a') + "\"}";
  }
  std::string StatsJson() const {
    char text[256];
    std::snprintf(text, sizeof text,
                  "{\"requests\":%ld,\"streams\":%ld,\"finished\":%ld,\"cancelled\":%ld,"
                  "\"last_cancel_ns\":%ld}\n",
                  stats_.requests, stats_.streams, stats_.finished, stats_.cancelled,
                  stats_.last_cancel_ns);
    return text;
  }

  void Answer(const std::string& body) {
    out_ = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this()](const Error& error, size_t) {
                        if (!error) self->ReadHead();
                      });
  }

  void StartStream() {
    ++stats_.streams;
    index_ = 0;
    open_ = true;
    ending_ = false;
    out_ =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    next_ = std::chrono::steady_clock::now();
    WatchForEnd();
    Write();
  }

  void WatchForEnd() {
    socket_.async_wait(
        stream_protocol::socket::wait_read, [self = shared_from_this()](const Error& error) {
          if (error || !self->open_) return;
          char byte;
          if (::recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
            self->Cancelled();
          }
        });
  }

  void Cancelled() {
    if (!open_) return;
    open_ = false;
    ++stats_.cancelled;
    stats_.last_cancel_ns = NowNs();
    timer_.cancel();
    socket_.close();
  }

  void Write() {
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this()](const Error& error, size_t) {
                        if (error) return self->Cancelled();
                        if (self->open_) self->Next();
                      });
  }

  void Next() {
    if (ending_) {
      open_ = false;
      ++stats_.finished;
      socket_.cancel();
      return ReadHead();
    }
    if (index_ == 0 || options_.rate == 0) return Emit();
    next_ += std::chrono::nanoseconds(1'000'000'000L / options_.rate);
    timer_.expires_at(next_);
    timer_.async_wait([self = shared_from_this()](const Error& error) {
      if (!error && self->open_) self->Emit();
    });
  }

  void Emit() {
    std::string event = "data: [DONE]\n\n";
    ending_ = index_ == options_.tokens;
    if (!ending_) {
      event = "data: {\"i\":" + std::to_string(index_++) + ",\"t\":" + std::to_string(NowNs()) +
              "}\n\n";
    }
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", event.size());
    out_ = size + event + "\r\n" + (ending_ ? "0\r\n\r\n" : "");
    Write();
  }

  stream_protocol::socket socket_;
  asio::steady_timer timer_;
  const Options& options_;
  Stats& stats_;
  std::string in_;
  std::string out_;
  std::chrono::steady_clock::time_point next_;
  long index_ = 0;
  bool open_ = false;
  bool ending_ = false;
};

void Accept(stream_protocol::acceptor& acceptor, const Options& options, Stats& stats) {
  acceptor.async_accept([&](const Error& error, stream_protocol::socket socket) {
    if (!error) std::make_shared<Session>(std::move(socket), options, stats)->ReadHead();
    Accept(acceptor, options, stats);
  });
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!llmd::bench::ParseFlags(
          argc, argv, {{"listen", &options.listen}},
          {{"tokens", &options.tokens}, {"rate", &options.rate}, {"size", &options.size}})) {
    return 2;
  }
  asio::io_context io(1);
  Stats stats;
  ::unlink(options.listen.c_str());
  stream_protocol::acceptor acceptor(io, stream_protocol::endpoint(options.listen));
  acceptor.listen(4096);
  Accept(acceptor, options, stats);
  io.run();
}
