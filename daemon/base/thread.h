// A thread that is joined when it goes out of scope, and has a name in debuggers.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace llmd {

class JoiningThread {
 public:
  JoiningThread() = default;
  // `name` is cut to 15 characters (a limit of Linux).
  JoiningThread(std::string name, std::function<void()> body);
  JoiningThread(JoiningThread&&) noexcept = default;
  JoiningThread& operator=(JoiningThread&& other) noexcept;
  ~JoiningThread() { Join(); }

  void Join();

 private:
  std::thread thread_;
};

}  // namespace llmd
