// What a command works with: the connection, the terminal, the interrupt, and calls with deadlines.
#pragma once

#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/status.h"
#include "lib/connection.h"
#include "lib/exit_code.h"
#include "lib/interrupt.h"
#include "lib/rpc_status.h"
#include "render/json.h"
#include "render/terminal.h"

namespace llmd::client {

inline constexpr std::chrono::seconds kShortCall{60};
inline constexpr std::chrono::seconds kCheckCall{300};  // a slow network
inline constexpr std::chrono::seconds kLongCall{3600};  // a large model's start

class Session {
 public:
  Session(Connection& connection, Interrupt& interrupt, bool json)
      : connection_(connection), interrupt_(interrupt), json_(json) {}

  const Terminal& terminal() const { return terminal_; }
  Interrupt& interrupt() { return interrupt_; }
  const platform::HomePaths& home() const { return connection_.home(); }
  bool json() const { return json_; }

  // After a connection broke: true once the daemon answers again.
  bool WaitForDaemon(std::chrono::milliseconds patience) {
    return connection_.WaitUntilBack(patience);
  }

  // A stub of `Service`; the daemon is started when none answers, unless `start` is false.
  template <typename Service>
  StatusOr<std::unique_ptr<typename Service::Stub>> Stub(bool start = true) {
    LLMD_ASSIGN_OR_RETURN(auto channel, connection_.Connect(start));
    return Service::NewStub(channel);
  }

  // One unary call; Ctrl-C cancels it.
  template <typename Stub, typename Request, typename Response>
  Status Call(Stub& stub,
              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request, Response* response,
              std::chrono::seconds deadline = kShortCall) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    Interrupt::Scope scope(interrupt_, [&context] { context.TryCancel(); });
    return FromGrpc((stub.*method)(&context, request, response));
  }

 private:
  Connection& connection_;
  Interrupt& interrupt_;
  Terminal terminal_;
  bool json_;
};

// `org/name` as it is; what looks like a path (./x, ../x, /x, ~/x, .) as an absolute folder.
StatusOr<std::string> ResolveRepositoryArgument(const std::string& text);

// Prints an error: text on stderr, or the JSON object on stdout. Returns the exit code.
int PrintError(const Status& status, bool json);

}  // namespace llmd::client
