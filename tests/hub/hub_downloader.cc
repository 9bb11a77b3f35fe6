// Downloads a repository, one file after the other, and prints, line by line, how many bytes it
// has; for tests that kill it. usage: hub_downloader ENDPOINT REPOSITORY FOLDER
#include <fmt/core.h>

#include <cstdio>

#include "hub/download.h"
#include "hub/hub.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  using namespace llmd;
  const auto hub = hub::MakeHub({.endpoint = argv[1], .stall_timeout = std::chrono::seconds(60)});
  const auto repository = hub->Open({.repo_id = argv[2]}, {});
  if (!repository.ok()) return 1;
  const auto list = (*repository)->List({});
  if (!list.ok()) return 1;
  const auto print = [](const Progress& now) {
    fmt::print("{}\n", now.bytes_done);
    std::fflush(stdout);
  };
  return hub::DownloadFiles(**repository, list->files, argv[3], {.parallel_files = 1}, print, {})
                 .ok()
             ? 0
             : 1;
}
