#include "gateway/grpc_web/generic_call.h"

#include <boost/asio/post.hpp>
#include <utility>
#include <vector>

namespace llmd::gateway {
namespace {

namespace asio = http::asio;

std::string ToString(grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  text.reserve(buffer.Length());
  if (buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) {
      text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  buffer.Clear();
  return text;
}

}  // namespace

GenericCall::GenericCall(asio::any_io_executor executor)
    : executor_(executor),
      changed_(std::in_place, executor, asio::steady_timer::time_point::max()) {}

void GenericCall::Start(grpc::GenericStub& stub, const std::string& method,
                        const std::string& message) {
  const grpc::Slice slice(message);
  request_ = grpc::ByteBuffer(&slice, 1);
  self_ = shared_from_this();
  const grpc::StubOptions options;
  stub.PrepareBidiStreamingCall(&context_, method, options, this);
  // Reads are started from the io thread, outside of gRPC's reactions: without a hold the call
  // could end between two of them, and the next one would touch what is gone.
  AddHold();
  StartWriteLast(&request_, grpc::WriteOptions());
  reading_ = true;
  StartRead(&message_);
  StartCall();
}

asio::awaitable<void> GenericCall::WaitForChange() { co_await changed_->async_wait(http::kAwait); }

asio::awaitable<void> GenericCall::Started() {
  while (!started_ && !done_) co_await WaitForChange();
}

asio::awaitable<std::optional<std::string>> GenericCall::Next() {
  if (!reading_ && !has_message_ && !reads_over_) {
    reading_ = true;
    StartRead(&message_);
  }
  while (!has_message_ && !done_) co_await WaitForChange();
  if (!has_message_) co_return std::nullopt;
  has_message_ = false;
  co_return ToString(message_);
}

void GenericCall::Abandon() {
  changed_.reset();
  {
    MutexLock lock(mutex_);
    awaited_ = false;
  }
  if (done_) return;
  context_.TryCancel();
  // A read must be under way for its failure to release the hold.
  if (!reading_ && !reads_over_) {
    reading_ = true;
    StartRead(&message_);
  }
}

void GenericCall::Post(std::function<void()> change) {
  MutexLock lock(mutex_);
  if (!awaited_) return;
  asio::post(executor_, [self = shared_from_this(), change = std::move(change)] {
    change();
    if (self->changed_) self->changed_->cancel();
  });
}

void GenericCall::OnReadInitialMetadataDone(bool) {
  Post([this] { started_ = true; });
}

void GenericCall::OnReadDone(bool ok) {
  // Releasing the hold lets the call end on another thread.
  const std::shared_ptr<GenericCall> self = shared_from_this();
  Post([this, ok] {
    reading_ = false;
    has_message_ = ok;
    reads_over_ = !ok;
  });
  if (!ok) RemoveHold();
}

void GenericCall::OnDone(const grpc::Status& status) {
  Post([this, status] {
    done_ = true;
    status_ = status;
  });
  // Last: it may be the end of this object.
  const std::shared_ptr<GenericCall> self = std::move(self_);
}

}  // namespace llmd::gateway
