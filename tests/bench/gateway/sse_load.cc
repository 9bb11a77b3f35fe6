// A client with many streams, which checks every event of fake_upstream.
//
//   sse_load --port P [--streams N] [--ramp-ms MS] [--abort-after K] [--slow-streams S]
//            [--slow-rate BYTES] [--seconds T] [--model m1]
//
// Prints one JSON line: streams that finished, events, those lost or out of order, the delay from
// the server's write to our read, the time to the first event. --abort-after closes each connection
// after K events and prints the time of the last close, to be compared with the server's
// last_cancel_ns. Of --slow-streams each reads --slow-rate bytes a second.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/gateway/flags.h"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;
using llmd::bench::NowNs;

struct Options {
  std::string model = "m1";
  long port = 8080;
  long streams = 100;
  long ramp_ms = 1000;
  long abort_after = 0;
  long slow_streams = 0;
  long slow_rate = 2000;
  long seconds = 60;
};

struct Totals {
  std::vector<double> delay_ms;
  std::vector<double> first_ms;
  long events = 0;
  long bad_order = 0;
  long finished = 0;
  long failed = 0;
  long aborted = 0;
  long bytes = 0;
  long last_close_ns = 0;
};

long NumberAfter(std::string_view text, std::string_view key) {
  const size_t at = text.find(key);
  return at == text.npos ? -1 : std::atol(text.data() + at + key.size());
}

class Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(asio::io_context& io, const Options& options, Totals& totals, bool slow)
      : socket_(io), timer_(io), options_(options), totals_(totals), slow_(slow) {}

  void Start() {
    socket_.open(tcp::v4());
    // A small window, or the kernel hides the slowness.
    if (slow_) socket_.set_option(asio::socket_base::receive_buffer_size(4096));
    const tcp::endpoint address(asio::ip::address_v4::loopback(),
                                static_cast<uint16_t>(options_.port));
    socket_.async_connect(address, [self = shared_from_this()](const Error& error) {
      error ? self->Fail() : self->Send();
    });
  }

 private:
  void Send() {
    const std::string body =
        "{\"model\":\"" + options_.model + "\",\"stream\":true,\"messages\":[]}";
    out_ =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    sent_ns_ = NowNs();
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this()](const Error& error, size_t) {
                        error ? self->Fail() : self->Read();
                      });
  }

  void Read() {
    if (!slow_) return ReadSome();
    timer_.expires_after(std::chrono::milliseconds(100));
    timer_.async_wait([self = shared_from_this()](const Error&) { self->ReadSome(); });
  }

  void ReadSome() {
    const size_t slow_size = static_cast<size_t>(std::max(1L, options_.slow_rate / 10));
    const size_t size = slow_ ? std::min(slow_size, sizeof buffer_) : sizeof buffer_;
    socket_.async_read_some(asio::buffer(buffer_, size),
                            [self = shared_from_this()](const Error& error, size_t got) {
                              if (error) return self->Fail();
                              self->totals_.bytes += static_cast<long>(got);
                              self->Feed(got);
                            });
  }

  void Feed(size_t got) {
    const long now = NowNs();
    text_.append(buffer_, got);
    for (size_t end; (end = text_.find('\n')) != text_.npos; text_.erase(0, end + 1)) {
      const std::string line = text_.substr(0, end);
      if (line.starts_with("data: [DONE]")) {
        ++totals_.finished;
        socket_.close();
        return;
      }
      if (line.starts_with("data: {")) OnEvent(line, now);
    }
    if (options_.abort_after > 0 && index_ >= options_.abort_after) {
      ++totals_.aborted;
      totals_.last_close_ns = NowNs();
      socket_.close();
      return;
    }
    Read();
  }

  void OnEvent(const std::string& line, long now) {
    const long index = NumberAfter(line, "\"i\":");
    if (index != index_) ++totals_.bad_order;
    if (index_ == 0) totals_.first_ms.push_back(static_cast<double>(now - sent_ns_) / 1e6);
    index_ = index + 1;
    ++totals_.events;
    const long written = NumberAfter(line, "\"t\":");
    if (!slow_) totals_.delay_ms.push_back(static_cast<double>(now - written) / 1e6);
  }

  void Fail() { ++totals_.failed; }

  tcp::socket socket_;
  asio::steady_timer timer_;
  const Options& options_;
  Totals& totals_;
  const bool slow_;
  std::string out_;
  std::string text_;
  char buffer_[16384];
  long sent_ns_ = 0;
  long index_ = 0;
};

std::string Quantiles(std::vector<double>& values) {
  if (values.empty()) return "null";
  std::sort(values.begin(), values.end());
  char text[120];
  std::snprintf(text, sizeof text, "{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}",
                values[values.size() / 2], values[values.size() * 99 / 100], values.back());
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!llmd::bench::ParseFlags(argc, argv, {{"model", &options.model}},
                               {{"port", &options.port},
                                {"streams", &options.streams},
                                {"ramp-ms", &options.ramp_ms},
                                {"abort-after", &options.abort_after},
                                {"slow-streams", &options.slow_streams},
                                {"slow-rate", &options.slow_rate},
                                {"seconds", &options.seconds}})) {
    return 2;
  }
  asio::io_context io(1);
  Totals totals;
  std::vector<std::unique_ptr<asio::steady_timer>> starts;
  for (long i = 0; i < options.streams; ++i) {
    const auto at = std::chrono::microseconds(1000 * options.ramp_ms * i / options.streams);
    starts.push_back(std::make_unique<asio::steady_timer>(io, at));
    starts.back()->async_wait([&, i](const Error&) {
      std::make_shared<Reader>(io, options, totals, i < options.slow_streams)->Start();
    });
  }
  io.run_for(std::chrono::seconds(options.seconds));
  std::printf(
      "{\"streams\":%ld,\"finished\":%ld,\"failed\":%ld,\"aborted\":%ld,\"events\":%ld,"
      "\"bad_order\":%ld,\"bytes\":%ld,\"last_close_ns\":%ld,\"delay_ms\":%s,\"first_ms\":%s}\n",
      options.streams, totals.finished, totals.failed, totals.aborted, totals.events,
      totals.bad_order, totals.bytes, totals.last_close_ns, Quantiles(totals.delay_ms).c_str(),
      Quantiles(totals.first_ms).c_str());
}
