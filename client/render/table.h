// A plain table: columns as wide as their widest cell, two spaces between, no lines.
#pragma once

#include <string>
#include <vector>

namespace llmd::client {

class Table {
 public:
  explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}
  // Cells are made safe for the terminal here; of a text of several lines the first is shown.
  void Add(std::vector<std::string> row);
  bool empty() const { return rows_.empty(); }
  std::string Render() const;

 private:
  std::vector<std::string> head_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace llmd::client
