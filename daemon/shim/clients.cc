#include "shim/clients.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "platform/unix_socket.h"

namespace llmd::shim {
namespace {

constexpr size_t kMaxClients = 32;
constexpr size_t kMaxRequest = 4096;
constexpr size_t kMaxUnsent = 4u << 20;

}  // namespace

Status Clients::Listen(const std::filesystem::path& path) {
  LLMD_ASSIGN_OR_RETURN(listener_, platform::ListenUnix(path, 16));
  return OkStatus();
}

void Clients::AddAttached(FileDescriptor socket) {
  clients_.push_back(
      {.connection = {std::move(socket), kMaxRequest, kMaxUnsent}, .attached = true});
}

void Clients::GreetAttached() {
  for (Client& client : clients_) {
    for (const auto& message : greeting_(client.attached)) Send(client, message);
  }
  DropLost();
}

void Clients::AddToPoll(std::vector<pollfd>& waits) const {
  if (listener_.valid()) waits.push_back({listener_.get(), POLLIN, 0});
  for (const Client& client : clients_) {
    waits.push_back({client.connection.fd(), client.connection.events(), 0});
  }
}

void Clients::OnPoll(const std::vector<pollfd>& waits) {
  const auto found = [&waits](int fd) -> short {
    const auto at = std::find_if(waits.begin(), waits.end(),
                                 [fd](const pollfd& wait) { return wait.fd == fd; });
    return at == waits.end() ? short{0} : at->revents;
  };
  for (Client& client : clients_) {
    const short events = found(client.connection.fd());
    if ((events & POLLOUT) != 0 && !client.connection.Flush()) client.lost = true;
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 &&
        !client.connection.Receive([&](std::string_view line) { OnLine(client, line); })) {
      client.lost = true;
    }
  }
  DropLost();
  if (listener_.valid() && found(listener_.get()) != 0) Accept();
}

void Clients::Accept() {
  StatusOr<FileDescriptor> socket = platform::AcceptUnix(listener_.get());
  if (!socket.ok()) return;
  const auto peer = platform::PeerOf(socket->get());
  const bool allowed = peer.ok() && (peer->user == ::geteuid() || peer->user == 0);
  if (!allowed || clients_.size() >= kMaxClients) return;
  clients_.push_back({.connection = {std::move(*socket), kMaxRequest, kMaxUnsent}});
}

void Clients::OnLine(Client& client, std::string_view line) {
  if (client.lost) return;
  const StatusOr<platform::ShimRequest> request = platform::ParseShimRequest(line);
  if (!request.ok()) {
    return Send(client, platform::ShimError{Message(request.status())});
  }
  if (const auto* stop = std::get_if<platform::StopRequest>(&*request)) return on_stop_(*stop);
  client.attached = client.attached || std::holds_alternative<platform::AttachRequest>(*request);
  const bool attach = std::holds_alternative<platform::AttachRequest>(*request);
  for (const auto& message : greeting_(attach)) Send(client, message);
}

void Clients::Send(Client& client, const platform::ShimMessage& message) {
  if (!client.lost && !client.connection.Send(platform::ToLine(message))) client.lost = true;
}

void Clients::DropLost() {
  clients_.remove_if([](const Client& client) { return client.lost; });
}

void Clients::Broadcast(const platform::ShimMessage& message) {
  for (Client& client : clients_) {
    if (client.attached) Send(client, message);
  }
}

void Clients::Finish(int limit_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  listener_.Close();
  for (;;) {
    DropLost();
    clients_.remove_if([](const Client& client) { return !client.connection.has_unsent(); });
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (clients_.empty() || left.count() <= 0) return;
    std::vector<pollfd> waits;
    for (const Client& client : clients_) waits.push_back({client.connection.fd(), POLLOUT, 0});
    if (::poll(waits.data(), waits.size(), static_cast<int>(left.count())) <= 0) continue;
    for (Client& client : clients_) client.lost = !client.connection.Flush();
  }
}

}  // namespace llmd::shim
