// Ctrl-C for a program of synchronous calls: the first interrupt calls whatever is registered (a
// call's TryCancel), the second ends the program with 130. Create one, first thing in main, before
// any other thread exists.
#pragma once

#include <functional>
#include <memory>

namespace llmd::client {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // True once the first interrupt has come; Reset makes the next one the first again.
  bool Seen() const;
  void Reset();

  // Calls `callback` on an interrupt while the object lives. One at a time. Thread-safe.
  class Scope {
   public:
    Scope(Interrupt& interrupt, std::function<void()> callback);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt& interrupt_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llmd::client
