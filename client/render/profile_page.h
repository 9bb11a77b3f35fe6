// The pages of `llmctl check` and `llmctl show`: what a model is, in ten seconds of reading.
#pragma once

#include <llmd/v1/models.pb.h>
#include <llmd/v1/profile.pb.h>

#include <string>

#include "render/terminal.h"

namespace llmd::client {

// With the verdict for this machine.
std::string CheckPage(const v1::CheckResponse& response, const Terminal& terminal);

// Without one: the model is installed already.
std::string ProfilePage(const v1::ModelProfile& profile, const Terminal& terminal);

// Each detector, matched or not, and why; each file that install leaves out.
std::string EvidencePage(const v1::ModelProfile& profile, const Terminal& terminal);

}  // namespace llmd::client
