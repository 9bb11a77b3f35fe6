#include "gateway/body_reader.h"

#include <algorithm>
#include <chrono>

#include "gateway/openai_error.h"
#include "http/chunked.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kStep = 64u << 10;
constexpr uint64_t kSlowestBytesPerSecond = 100'000;

Status TooLarge(uint64_t limit) {
  return BadRequest("body_too_large", fmt::format("the body is larger than {} bytes", limit),
                    "Send less, or raise the limit in llmd.yaml.");
}

class BodyReader {
 public:
  BodyReader(Call& call, uint64_t limit) : call_(call), limit_(limit) {}

  asio::awaitable<Status> Read() {
    Status status;
    if (call_.head.framing == http::Framing::kLength) {
      status = co_await ReadLength();
    } else if (call_.head.framing == http::Framing::kChunked) {
      status = co_await ReadChunked();
    }
    call_.client.ClearDeadline();
    if (status.ok() && call_.form) status = call_.form->Finish();
    if (status.ok() && call_.body.spilled()) status = co_await SpillAbove(0);
    if (!status.ok()) call_.body.Release();  // at once: others may wait for the room
    co_return status;
  }

 private:
  asio::awaitable<Status> ReadLength() {
    uint64_t left = call_.head.content_length;
    if (left > limit_) co_return TooLarge(limit_);
    call_.body.Expect(left);
    std::string& unread = call_.client.unread();
    const size_t here = static_cast<size_t>(std::min<uint64_t>(left, unread.size()));
    Status status = Append(std::string_view(unread).substr(0, here));
    unread.erase(0, here);
    left -= here;
    while (status.ok() && left > 0) {
      const size_t step = static_cast<size_t>(std::min<uint64_t>(left, kStep));
      const StatusOr<char*> room = call_.body.Prepare(step);
      if (!room.ok()) co_return room.status();
      SetDeadline();
      const size_t got = co_await call_.client.ReadInto(*room, step);
      if (got == 0) co_return Stopped();
      call_.body.Commit(got);
      status = Came(std::string_view(*room, got));
      left -= got;
      if (status.ok()) status = co_await SpillAbove(call_.gateway.options.limits.spill_above_bytes);
    }
    co_return status;
  }

  asio::awaitable<Status> ReadChunked() {
    http::ChunkDecoder decoder;
    std::vector<std::string_view> pieces;
    std::string& unread = call_.client.unread();
    for (;;) {
      pieces.clear();
      const StatusOr<size_t> used = decoder.Feed(unread, pieces);
      if (!used.ok()) co_return used.status();
      for (const std::string_view piece : pieces) {
        if (piece.size() > limit_ - std::min(total_, limit_)) co_return TooLarge(limit_);
        const Status appended = Append(piece);
        if (!appended.ok()) co_return appended;
      }
      unread.erase(0, *used);
      const Status spilled = co_await SpillAbove(call_.gateway.options.limits.spill_above_bytes);
      if (!spilled.ok() || decoder.done()) co_return spilled;
      SetDeadline();
      const http::ErrorCode error = co_await call_.client.Fill();
      if (error) co_return Stopped();
    }
  }

  Status Append(std::string_view bytes) {
    if (bytes.empty()) return OkStatus();
    LLMD_RETURN_IF_ERROR(call_.body.Append(bytes));
    return Came(bytes);
  }

  Status Came(std::string_view bytes) {
    total_ += bytes.size();
    return call_.form ? call_.form->Feed(bytes) : OkStatus();
  }

  // Only forms spill: JSON is scanned as a whole.
  asio::awaitable<Status> SpillAbove(uint64_t bytes) {
    if (!call_.form || call_.body.bytes().size() <= bytes) co_return OkStatus();
    RequestBody& body = call_.body;
    const std::filesystem::path& folder = call_.gateway.options.spill_folder;
    std::function<Status()> spill = [&body, &folder] { return body.Spill(folder); };
    co_return co_await RunStatusOn(call_.gateway.work, std::move(spill));
  }

  // At any moment the average so far must be above the slowest rate, after a start.
  void SetDeadline() {
    const milliseconds allowed =
        call_.gateway.options.limits.body + milliseconds(total_ * 1000 / kSlowestBytesPerSecond);
    const auto passed = std::chrono::duration_cast<milliseconds>(Clock::now() - started_);
    call_.client.SetDeadline(std::max(allowed - passed, milliseconds(0)));
  }

  Status Stopped() const {
    if (!call_.client.deadline_expired()) return Cancelled();
    return BadRequest("request_timeout", "the body did not come in time");
  }

  Call& call_;
  const uint64_t limit_;
  uint64_t total_ = 0;
  const Clock::time_point started_ = Clock::now();
};

}  // namespace

asio::awaitable<Status> ReadBody(Call& call, uint64_t limit) {
  BodyReader reader(call, limit);
  co_return co_await reader.Read();
}

}  // namespace llmd::gateway
