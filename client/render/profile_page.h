// The page that `llmctl check` and `llmctl show` print: what a model is, in ten seconds of reading.
#pragma once

#include <llmd/v1/profile.pb.h>

#include <string>

#include "render/terminal.h"

namespace llmd::client {

std::string ProfilePage(const v1::ModelProfile& profile, const Terminal& terminal);

// Each detector, matched or not, and why.
std::string EvidencePage(const v1::ModelProfile& profile, const Terminal& terminal);

}  // namespace llmd::client
