#include "llmctl/print_server.h"

#include <fmt/core.h>

namespace llmd::client {

void PrintServer(const Session& session, const v1::Server& server) {
  if (session.json()) {
    fmt::print("{}", ToJsonText(server));
    return;
  }
  fmt::print("{} is {}", Safe(server.model()), Safe(server.state()));
  if (server.pid() != 0) fmt::print(" (pid {}, {})", server.pid(), Safe(server.engine()));
  fmt::print("\n");
}

}  // namespace llmd::client
