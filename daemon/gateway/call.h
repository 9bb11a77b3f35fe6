// Call: one request under way, as its handler sees it. Handlers are coroutines on the call's io
// thread: they answer through `out` and may be interrupted when the client goes or llmd ends.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/body.h"
#include "gateway/connection.h"
#include "gateway/io_thread.h"
#include "gateway/multipart_scan.h"
#include "gateway/responder.h"
#include "gateway/routes.h"
#include "http/head.h"

namespace llmd::gateway {

struct Call {
  Call(GatewayState& gateway_in, IoThread& thread_in, ClientConnection& client_in)
      : gateway(gateway_in),
        thread(thread_in),
        client(client_in),
        body(gateway_in.budget),
        out(client_in) {}

  GatewayState& gateway;
  IoThread& thread;
  ClientConnection& client;

  std::string head_text;  // what the head's views point into
  http::RequestHead head;
  Match match;
  std::string request_id;
  RequestBody body;
  std::optional<MultipartScan> form;  // of a multipart body: has looked for its model
  Responder out;

  std::string dropped;      // members that the body had and its server does not get
  std::string model;        // the installed model, once it is known: a metric's label
  bool to_control = false;  // for the control plane: ended at once when llmd ends
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();

  // Set by the handler while it waits for somebody else: must make it go on at once.
  std::function<void()> interrupt;
  bool client_gone = false;
  std::optional<Status> aborted;  // llmd ends: answer this

  bool interrupted() const { return client_gone || aborted.has_value(); }
  void Interrupt() {
    if (interrupt) interrupt();
  }
};

// Sets call.interrupt for a scope. Calls it at once when the call was interrupted before.
class InterruptScope {
 public:
  InterruptScope(Call& call, std::function<void()> interrupt) : call_(call) {
    call_.interrupt = std::move(interrupt);
    if (call_.interrupted()) call_.Interrupt();
  }
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  ~InterruptScope() { call_.interrupt = nullptr; }

 private:
  Call& call_;
};

}  // namespace llmd::gateway
