// llmctl __complete WORDS: candidates for the last of the words, one a line; what the shells'
// scripts call. It is no command of the parser, since the words are an unfinished command line.
#pragma once

#include <string>
#include <vector>

#include "llmctl/session.h"

namespace CLI {
class App;
}

namespace llmd::client {

inline constexpr char kCompleteWord[] = "__complete";

// Asks a daemon that runs already for names; never starts one, never fails.
void PrintCandidates(const CLI::App& app, Session& session, std::vector<std::string> words);

}  // namespace llmd::client
