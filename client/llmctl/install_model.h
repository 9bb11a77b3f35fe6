// Installing from more than one command: `install`, and `run` for a model that is not there yet.
#pragma once

#include <llmd/v1/models.pb.h>

#include "base/status.h"
#include "llmctl/session.h"

namespace llmd::client {

// Starts the installation, watches it, and returns the installed model.
StatusOr<v1::Model> InstallModel(Session& session, const v1::InstallRequest& request);

}  // namespace llmd::client
