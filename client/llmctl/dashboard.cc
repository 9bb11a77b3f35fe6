// llmctl dashboard: the web page's address, with the token.
#include <fmt/core.h>
#include <llmd/v1/system.grpc.pb.h>
#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "llmctl/command.h"
#include "llmctl/session.h"
#include "platform/process_launcher.h"

namespace llmd::client {
namespace {

class DashboardCommand final : public Command {
 public:
  const char* name() const override { return "dashboard"; }
  const char* summary() const override { return "Print (and open) the dashboard's address"; }
  const char* examples() const override { return "llmctl dashboard\nllmctl dashboard --open"; }
  void Define(CLI::App& app) override { app.add_flag("--open", open_, "Open it in the browser"); }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::System>());
    v1::InfoResponse info;
    LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::System::Stub::Info, v1::InfoRequest(), &info));
    LLMD_ASSIGN_OR_RETURN(std::string token, ReadFile(session.home().token_file(), 4096));
    while (token.ends_with('\n')) token.pop_back();
    const std::string url = info.http() + "/#token=" + token;
    if (session.json()) {
      fmt::print("{}\n", nlohmann::ordered_json{{"url", url}}.dump(2));
    } else {
      fmt::print("{}\n", url);
    }
    if (open_) return Open(url);
    return kDone;
  }

 private:
  static StatusOr<int> Open(const std::string& url) {
#if defined(__APPLE__)
    const char* opener = "/usr/bin/open";
#else
    const char* opener = "/usr/bin/xdg-open";
#endif
    auto environment = platform::CleanEnvironment(false);
    for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "XAUTHORITY"}) {
      if (const char* value = std::getenv(name)) environment[name] = value;
    }
    const auto launcher = platform::MakeProcessLauncher();
    LLMD_ASSIGN_OR_RETURN(const auto process, launcher->Launch({.program = opener,
                                                                .arguments = {url},
                                                                .environment = environment,
                                                                .new_session = true}));
    return kDone;
  }

  bool open_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDashboardCommand() { return std::make_unique<DashboardCommand>(); }

}  // namespace llmd::client
