#include "base/thread.h"

#include <pthread.h>

#include <utility>

namespace llmd {

JoiningThread::JoiningThread(std::string name, std::function<void()> body)
    : thread_([name = name.substr(0, 15), body = std::move(body)] {
#if defined(__APPLE__)
        pthread_setname_np(name.c_str());
#else
        pthread_setname_np(pthread_self(), name.c_str());
#endif
        body();
      }) {
}

JoiningThread& JoiningThread::operator=(JoiningThread&& other) noexcept {
  if (this != &other) {
    Join();
    thread_ = std::move(other.thread_);
  }
  return *this;
}

void JoiningThread::Join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace llmd
