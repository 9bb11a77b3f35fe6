// What the terminal can do, and text made safe for it. Text from models and servers goes through
// Safe(), which takes control characters away.
#pragma once

#include <string>
#include <string_view>

namespace llmd::client {

class Terminal {
 public:
  struct Features {
    bool output = false;  // stdout is a terminal
    bool error = false;   // stderr is one
    bool input = false;   // stdin is one
    bool colour = false;
    int width = 0;  // columns; 0: whatever the terminal has at the time
  };
  // What this process has.
  Terminal();
  explicit Terminal(const Features& features) : features_(features) {}
  bool output_is_terminal() const { return features_.output; }
  bool error_is_terminal() const { return features_.error; }  // bars and questions
  bool input_is_terminal() const { return features_.input; }
  bool colour() const { return features_.colour; }  // stdout is a terminal, NO_COLOR is not set
  int width() const;                                // columns, 80 when not known

  std::string Bold(std::string_view text) const;
  std::string Dim(std::string_view text) const;
  std::string Green(std::string_view text) const;
  std::string Yellow(std::string_view text) const;
  std::string Red(std::string_view text) const;

 private:
  std::string Paint(const char* code, std::string_view text) const;
  Features features_;
};

std::string Safe(std::string_view text);

}  // namespace llmd::client
