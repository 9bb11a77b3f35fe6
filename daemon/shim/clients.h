// Clients: the listener at shim.sock and those connected to it. Not thread-safe.
#pragma once

#include <poll.h>

#include <filesystem>
#include <functional>
#include <list>
#include <vector>

#include "base/file.h"
#include "platform/line_connection.h"
#include "platform/shim_protocol.h"

namespace llmd::shim {

class Clients {
 public:
  using OnStop = std::function<void(const platform::StopRequest&)>;
  // What is sent to a client that asks for the status; those that attach get all of it.
  using Greeting = std::function<std::vector<platform::ShimMessage>(bool attach)>;
  Clients(OnStop on_stop, Greeting greeting)
      : on_stop_(std::move(on_stop)), greeting_(std::move(greeting)) {}

  Status Listen(const std::filesystem::path& path);
  // A client that is connected and attached already. It is greeted later, by Greet.
  void AddAttached(FileDescriptor socket);
  void GreetAttached();

  void AddToPoll(std::vector<pollfd>& waits) const;
  // Deals with what poll(2) has found; `waits` as AddToPoll has filled it.
  void OnPoll(const std::vector<pollfd>& waits);

  // To all that are attached.
  void Broadcast(const platform::ShimMessage& message);
  // Tells them the last and waits for those who are slow to read, up to `limit_ms` in all.
  void Finish(int limit_ms);

 private:
  struct Client {
    platform::LineConnection connection;
    bool attached = false;
    bool lost = false;
  };
  void Accept();
  void OnLine(Client& client, std::string_view line);
  void Send(Client& client, const platform::ShimMessage& message);
  void DropLost();

  OnStop on_stop_;
  Greeting greeting_;
  FileDescriptor listener_;
  std::list<Client> clients_;
};

}  // namespace llmd::shim
