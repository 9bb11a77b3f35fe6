// Runs llmctl as a person or a script would: with pipes, or on a terminal of its own.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "base/file.h"

namespace llmd::testing {

struct Ran {
  int exit = -1;
  std::string out;
  std::string err;
};

using Variables = std::map<std::string, std::string>;

// The environment has PATH and what `variables` says. `program` empty: the llmctl that was built.
Ran RunLlmctl(const std::vector<std::string>& words, const Variables& variables = {},
              const std::string& input = "", std::string program = "");

// llmctl on a pseudo-terminal, which is its standard input, output and error.
class TerminalSession {
 public:
  TerminalSession(const std::vector<std::string>& words, const Variables& variables);
  ~TerminalSession();
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;

  // Blocks until the screen has shown `text`; false when the program ended before.
  bool WaitFor(const std::string& text);
  void Type(const std::string& keys);
  // Reads to the end; the exit code.
  int Finish();
  const std::string& shown() const { return shown_; }

 private:
  bool ReadSome();
  FileDescriptor terminal_;
  pid_t pid_ = -1;
  std::string shown_;
};

}  // namespace llmd::testing
