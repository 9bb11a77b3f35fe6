// One server, as start, stop and restart print it.
#pragma once

#include <llmd/v1/servers.pb.h>

#include "llmctl/session.h"

namespace llmd::client {

void PrintServer(const Session& session, const v1::Server& server);

}  // namespace llmd::client
