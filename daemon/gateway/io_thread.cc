#include "gateway/io_thread.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace llmd::gateway {
namespace {

namespace asio = http::asio;

template <typename T>
asio::awaitable<T> Call(std::function<T()> work) {
  co_return work();
}

}  // namespace

asio::awaitable<std::string> RunOn(asio::thread_pool& pool, std::function<std::string()> work) {
  auto task = Call<std::string>(std::move(work));
  co_return co_await asio::co_spawn(pool, std::move(task), asio::use_awaitable);
}

asio::awaitable<Status> RunStatusOn(asio::thread_pool& pool, std::function<Status()> work) {
  auto task = Call<Status>(std::move(work));
  co_return co_await asio::co_spawn(pool, std::move(task), asio::use_awaitable);
}

}  // namespace llmd::gateway
