// What the terminal can do, and text made safe for it. Text from models and servers goes through
// Safe(), which takes control characters away.
#pragma once

#include <string>
#include <string_view>

namespace llmd::client {

class Terminal {
 public:
  Terminal();
  bool output_is_terminal() const { return output_is_terminal_; }  // stdout
  bool error_is_terminal() const { return error_is_terminal_; }    // stderr: bars and questions
  bool input_is_terminal() const { return input_is_terminal_; }
  bool colour() const { return colour_; }  // stdout is a terminal and NO_COLOR is not set
  int width() const;                       // columns, 80 when not known

  std::string Bold(std::string_view text) const;
  std::string Dim(std::string_view text) const;
  std::string Green(std::string_view text) const;
  std::string Yellow(std::string_view text) const;
  std::string Red(std::string_view text) const;

 private:
  std::string Paint(const char* code, std::string_view text) const;
  bool output_is_terminal_;
  bool error_is_terminal_;
  bool input_is_terminal_;
  bool colour_;
};

std::string Safe(std::string_view text);

}  // namespace llmd::client
