#include "http/exchange.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace llmd::http {
namespace {

constexpr size_t kSmallBuffer = 8u << 10;
constexpr size_t kLargeBuffer = 64u << 10;

Status Crashed(std::string_view what) {
  return MakeStatus(StatusCode::kUnavailable, what,
                    {.code = "upstream_crashed",
                     .next_step = "Try again; llmctl logs MODEL says what happened to it."});
}

Status BadAnswer(const Status& why) {
  return MakeStatus(StatusCode::kUnavailable,
                    fmt::format("the model server's answer is not valid HTTP: {}", Message(why)),
                    {.code = "bad_answer", .next_step = "llmctl logs MODEL may say more."});
}

}  // namespace

Exchange::Exchange(UpstreamPool& pool, Endpoint endpoint)
    : pool_(pool), endpoint_(std::move(endpoint)) {}

asio::awaitable<Status> Exchange::Send(const Outgoing& request) {
  for (bool fresh = false;; fresh = true) {
    const Status opened = co_await Open(fresh);
    if (!opened.ok()) co_return opened;
    const Status answered = co_await Attempt(request);
    if (answered.ok() || !reused_ || got_bytes_ || cancelled_) co_return answered;
    if (request.source != nullptr) request.source->Rewind();
  }
}

asio::awaitable<Status> Exchange::Open(bool fresh) {
  if (cancelled_) co_return Cancelled();
  socket_.reset();
  if (!fresh) socket_ = pool_.Take(endpoint_);
  reused_ = socket_.has_value();
  if (reused_) co_return OkStatus();
  StatusOr<Socket> connected = co_await Connect(pool_.executor(), endpoint_);
  if (!connected.ok()) co_return connected.status();
  if (cancelled_) co_return Cancelled();
  socket_.emplace(*std::move(connected));
  co_return OkStatus();
}

asio::awaitable<Status> Exchange::Attempt(const Outgoing& request) {
  const ErrorCode written = co_await WriteRequest(request);
  // A server may refuse a body that it has not read: its answer is there all the same.
  reusable_ = !written;
  co_return co_await ReadHead(request.is_head);
}

asio::awaitable<ErrorCode> Exchange::WriteRequest(const Outgoing& request) {
  std::vector<asio::const_buffer> buffers;
  buffers.reserve(request.body.size() + 1);
  buffers.push_back(Bytes(request.head));
  for (const std::string_view piece : request.body) buffers.push_back(Bytes(piece));
  ErrorCode error;
  if (!WriteSome(*socket_, buffers, error)) {
    if (error != asio::error::would_block) co_return error;
    constexpr std::chrono::milliseconds kNoLimit{};
    error = co_await WriteAll(*socket_, buffers, nullptr, kNoLimit);
  }
  while (!error && request.source != nullptr) {
    const StatusOr<std::string_view> block = co_await request.source->Next();
    if (!block.ok()) co_return asio::error::operation_aborted;
    if (block->empty()) break;
    buffers.assign(1, Bytes(*block));
    constexpr std::chrono::milliseconds kNoLimit{};
    error = co_await WriteAll(*socket_, buffers, nullptr, kNoLimit);
  }
  co_return error;
}

asio::awaitable<Status> Exchange::ReadHead(bool to_head) {
  const HeadLimits limits;
  size_t searched = 0;
  for (;;) {
    const size_t length = FindHeadEnd(buffered(), searched);
    if (length == 0) {
      searched = buffered().size();
      if (searched > limits.bytes) {
        co_return BadAnswer(InvalidArgument("its head is larger than {} bytes", limits.bytes));
      }
      const ErrorCode error = co_await Fill();
      if (error) co_return Broken(error);
      continue;
    }
    head_text_.assign(buffered().substr(0, length));
    begin_ += length;
    searched = 0;
    const Status parsed = ParseResponseHead(head_text_, limits, to_head, head_);
    if (!parsed.ok()) co_return BadAnswer(parsed);
    if (head_.status == 101) co_return BadAnswer(InvalidArgument("it changed the protocol"));
    if (head_.status / 100 == 1) continue;
    left_ = head_.content_length;
    if (head_.framing == Framing::kNone) Finish();
    co_return OkStatus();
  }
}

asio::awaitable<Status> Exchange::Read(std::vector<std::string_view>& pieces) {
  pieces.clear();
  for (;;) {
    if (done_) co_return OkStatus();
    if (!socket_) co_return Cancelled();
    if (begin_ < end_) {
      const Status taken = TakeBody(pieces);
      if (!taken.ok() || !pieces.empty()) co_return taken;
      continue;
    }
    const ErrorCode error = co_await Fill();
    if (error == asio::error::eof && head_.framing == Framing::kUntilClose && !cancelled_) {
      Finish();
    } else if (error) {
      co_return Broken(error);
    }
  }
}

Status Exchange::TakeBody(std::vector<std::string_view>& pieces) {
  const std::string_view bytes = buffered();
  size_t used = bytes.size();
  bool ended = false;
  if (head_.framing == Framing::kChunked) {
    const StatusOr<size_t> fed = chunks_.Feed(bytes, pieces);
    if (!fed.ok()) return BadAnswer(fed.status());
    used = *fed;
    ended = chunks_.done();
  } else if (head_.framing == Framing::kLength) {
    used = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
    left_ -= used;
    ended = left_ == 0;
    pieces.push_back(bytes.substr(0, used));
  } else {
    pieces.push_back(bytes);
  }
  begin_ += used;
  if (ended) Finish();
  return OkStatus();
}

void Exchange::MakeRoom() {
  if (begin_ == end_) {
    const bool was_full = capacity_ > 0 && end_ == capacity_;
    begin_ = end_ = 0;
    if (capacity_ > 0 && !(was_full && capacity_ < kLargeBuffer)) return;
    capacity_ = was_full ? kLargeBuffer : kSmallBuffer;
    buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
    return;
  }
  if (end_ < capacity_) return;
  // Half a head fills the buffer.
  capacity_ = std::max(2 * capacity_, kSmallBuffer);
  auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
  std::memcpy(larger.get(), buffer_.get() + begin_, end_ - begin_);
  buffer_ = std::move(larger);
  end_ -= begin_;
  begin_ = 0;
}

asio::awaitable<ErrorCode> Exchange::Fill() {
  MakeRoom();
  const auto room = asio::buffer(buffer_.get() + end_, capacity_ - end_);
  const auto [error, got] = co_await socket_->async_read_some(room, kAwait);
  end_ += got;
  if (got > 0) got_bytes_ = true;
  co_return error;
}

Status Exchange::Broken(const ErrorCode& error) const {
  if (cancelled_) return Cancelled();
  if (!got_bytes_) return Crashed("the model server ended before it answered");
  return Crashed(
      fmt::format("the model server's answer broke off: {}",
                  error == asio::error::eof ? "it closed the connection" : error.message()));
}

void Exchange::Finish() {
  done_ = true;
  if (reusable_ && head_.keep_alive && begin_ == end_ && socket_) {
    pool_.Give(endpoint_, *std::move(socket_));
  }
  socket_.reset();
}

void Exchange::Cancel() {
  cancelled_ = true;
  if (!socket_) return;
  ErrorCode ignored;
  socket_->close(ignored);
}

}  // namespace llmd::http
