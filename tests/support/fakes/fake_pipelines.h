// Pipelines whose answers the test sets.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "pipelines/pipelines.h"

namespace llmd::testing {

class FakePipelines final : public pipelines::Pipelines {
 public:
  std::function<StatusOr<pipelines::CheckResult>(const pipelines::CheckRequest&,
                                                 const CancelToken&)>
      on_check;
  std::function<StatusOr<JobRecord>(const pipelines::InstallRequest&)> on_install;
  std::function<StatusOr<JobRecord>(const pipelines::RemoveRequest&)> on_remove;

  StatusOr<pipelines::CheckResult> Check(const pipelines::CheckRequest& request,
                                         const CancelToken& cancel) override {
    return on_check(request, cancel);
  }
  StatusOr<JobRecord> Install(const pipelines::InstallRequest& request) override {
    return on_install(request);
  }
  StatusOr<JobRecord> Remove(const pipelines::RemoveRequest& request) override {
    return on_remove(request);
  }
  std::map<std::string, jobs::JobRunner> Runners() override { return {}; }
};

}  // namespace llmd::testing
