#include "render/table.h"

#include <algorithm>
#include <utility>

#include "render/terminal.h"

namespace llmd::client {
namespace {

// Columns that a UTF-8 text takes, taking each code point for one.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void AppendRow(std::string& out, const std::vector<std::string>& row,
               const std::vector<size_t>& widths) {
  for (size_t i = 0; i < row.size(); ++i) {
    out += row[i];
    if (i + 1 < row.size()) out.append(widths[i] - Width(row[i]) + 2, ' ');
  }
  out.push_back('\n');
}

}  // namespace

void Table::Add(std::vector<std::string> row) {
  // A line a row: of a message of several lines, such as a server's last words, the first one.
  for (std::string& cell : row) cell = Safe(cell.substr(0, cell.find('\n')));
  row.resize(head_.size());
  rows_.push_back(std::move(row));
}

std::string Table::Render() const {
  std::vector<size_t> widths;
  for (const std::string& title : head_) widths.push_back(Width(title));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string out;
  AppendRow(out, head_, widths);
  for (const auto& row : rows_) AppendRow(out, row, widths);
  return out;
}

}  // namespace llmd::client
