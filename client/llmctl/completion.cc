// llmctl completion: the shell script that completes our commands.
#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "llmctl/command.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

// Each script hands the words typed so far to `llmctl __complete`.
constexpr char kBash[] = R"sh(_llmctl() {
  local candidate
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("$candidate")
  done < <(llmctl __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _llmctl llmctl
)sh";

constexpr char kZsh[] = R"sh(#compdef llmctl
_llmctl() {
  local -a candidates
  candidates=(${(f)"$(llmctl __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -a candidates
}
if [ "$funcstack[1]" = "_llmctl" ]; then
  _llmctl "$@"
else
  compdef _llmctl llmctl
fi
)sh";

constexpr char kFish[] = R"sh(function __llmctl_complete
  set -l words (commandline -opc) (commandline -ct)
  llmctl __complete $words[2..-1] 2>/dev/null
end
complete -c llmctl -f -a '(__llmctl_complete)'
)sh";

class CompletionCommand final : public Command {
 public:
  const char* name() const override { return "completion"; }
  const char* summary() const override { return "Print the completion script of a shell"; }
  const char* examples() const override {
    return "llmctl completion bash > /etc/bash_completion.d/llmctl\n"
           "llmctl completion zsh > ~/.zsh/completions/_llmctl\n"
           "llmctl completion fish > ~/.config/fish/completions/llmctl.fish";
  }
  void Define(CLI::App& app) override {
    app.add_option("shell", shell_, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }
  StatusOr<int> Run(Session& session) override {
    const char* script = shell_ == "bash" ? kBash : shell_ == "zsh" ? kZsh : kFish;
    if (session.json()) {
      fmt::print("{}", ToJsonText(nlohmann::ordered_json{{"shell", shell_}, {"script", script}}));
    } else {
      fmt::print("{}", script);
    }
    return kDone;
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> MakeCompletionCommand() { return std::make_unique<CompletionCommand>(); }

}  // namespace llmd::client
