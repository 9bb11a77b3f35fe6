// Domain records to protobuf messages and back. Pure functions.
#pragma once

#include <llmd/v1/jobs.pb.h>
#include <llmd/v1/models.pb.h>
#include <llmd/v1/profile.pb.h>
#include <llmd/v1/servers.pb.h>
#include <llmd/v1/system.pb.h>

#include <filesystem>

#include "domain/event.h"
#include "domain/machine.h"
#include "domain/profile.h"
#include "domain/states.h"

namespace llmd::rpc {

v1::ModelProfile ToProto(const ModelProfile& profile);
v1::Job ToProto(const JobRecord& job);
v1::JobEvent ToProto(const JobEventRecord& event);
v1::Server ToProto(const ServerRecord& server);
v1::Machine ToProto(const MachineFacts& machine);
v1::Memory ToProto(const MemoryChanged& memory);
// `folder` is where the model lies; `server` its server's state.
v1::Model ToProto(const ModelRecord& model, const std::filesystem::path& folder,
                  ServerState server);

}  // namespace llmd::rpc
