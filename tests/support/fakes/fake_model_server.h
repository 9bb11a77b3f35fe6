// A model server on a Unix socket, scripted by the test: a handler gets each request and writes the
// answer's bytes itself. One thread a connection.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/http/raw_http.h"
#include "support/temp_folder.h"

namespace llmd::testing {

class FakeModelServer {
 public:
  // Answers one request; the connection is closed when it returns false.
  using Handler = std::function<bool(RawConnection&, const RawMessage&)>;

  explicit FakeModelServer(Handler handler) : handler_(std::move(handler)) {
    path_ = (folder_.path() / "api.sock").string();
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 1024);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~FakeModelServer() {
    Stop();
    for (Worker& worker : workers_) worker.thread.join();
  }

  std::string endpoint() const { return "unix://" + path_; }
  int connections() const { return connections_; }
  std::vector<RawMessage> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  // Waits for `count` clients to have gone while the handler was waiting for that.
  void CountGone() {
    std::lock_guard lock(mutex_);
    ++gone_;
    changed_.notify_all();
  }
  bool WaitForGone(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return gone_ >= count; });
  }
  bool WaitForRequests(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return requests_.size() >= count; });
  }
  // Takes no more connections and ends those there are.
  void Stop() {
    if (stopped_.exchange(true)) return;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    std::lock_guard lock(mutex_);
    for (Worker& worker : workers_) {
      if (worker.open) worker.connection.Shutdown();
    }
  }

 private:
  struct Worker {
    RawConnection connection;
    std::thread thread;
    bool open = true;
  };

  void Accept() {
    for (;;) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      ++connections_;
      std::lock_guard lock(mutex_);
      Worker& worker = workers_.emplace_back();
      worker.connection = RawConnection(fd);
      worker.thread = std::thread([this, &worker] { Serve(worker); });
    }
  }
  void Serve(Worker& worker) {
    while (const auto request = ReadMessage(worker.connection)) {
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(*request);
        changed_.notify_all();
      }
      if (!handler_(worker.connection, *request)) break;
    }
    std::lock_guard lock(mutex_);
    worker.open = false;
    worker.connection.Close();
  }

  TempFolder folder_;
  std::string path_;
  Handler handler_;
  int listener_ = -1;
  std::thread acceptor_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Worker> workers_;
  std::vector<RawMessage> requests_;
  int gone_ = 0;
};

// A whole answer with a length.
inline std::string PlainAnswer(int status, std::string_view type, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

inline constexpr char kStreamHead[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace llmd::testing
