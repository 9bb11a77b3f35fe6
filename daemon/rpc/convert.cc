#include "rpc/convert.h"

#include <optional>
#include <string>
#include <vector>

namespace llmd::rpc {
namespace {

template <typename Repeated>
void Fill(const std::vector<std::string>& from, Repeated* to) {
  to->Assign(from.begin(), from.end());
}

std::string TimeText(const std::optional<WallTime>& time) {
  return time.has_value() ? FormatTime(*time) : "";
}

void FillNeeds(const ModelProfile& profile, v1::ModelProfile& out) {
  Fill(profile.requirements.packages, out.mutable_requirements()->mutable_packages());
  Fill(profile.requirements.special, out.mutable_requirements()->mutable_special());
  out.mutable_requirements()->set_remote_code(profile.requirements.remote_code);
  for (const ModelProfile::Backend& backend : profile.backends) {
    v1::Backend* added = out.add_backends();
    added->set_name(backend.name);
    added->set_usable(backend.usable);
    added->set_reason(backend.reason);
  }
  out.mutable_memory()->set_weights_bytes(profile.memory.weights_bytes);
  out.mutable_memory()->set_kv_bytes_per_token(profile.memory.kv_bytes_per_token);
  out.mutable_memory()->set_required_bytes(profile.memory.required_bytes);
  out.mutable_memory()->set_fits(profile.memory.fits);
  out.mutable_download()->set_bytes(profile.download.bytes);
  out.mutable_download()->set_files(profile.download.files);
  for (const ModelProfile::SkippedFile& file : profile.download.skipped) {
    v1::SkippedFile* added = out.mutable_download()->add_skipped();
    added->set_path(file.path);
    added->set_why(file.why);
  }
  out.mutable_trainable()->set_lora(profile.trainable.lora);
  out.mutable_trainable()->set_reason(profile.trainable.reason);
}

void FillLists(const ModelProfile& profile, v1::ModelProfile& out) {
  for (const ModelProfile::Component& component : profile.components) {
    v1::Component* added = out.add_components();
    added->set_name(component.name);
    added->set_class_(component.class_name);
  }
  for (const ModelProfile::Variant& variant : profile.variants) {
    v1::Variant* added = out.add_variants();
    added->set_name(variant.name);
    Fill(variant.files, added->mutable_files());
    added->set_bytes(variant.bytes);
  }
  for (const ModelProfile::Evidence& evidence : profile.evidence) {
    v1::Evidence* added = out.add_evidence();
    added->set_detector(evidence.detector);
    added->set_matched(evidence.matched);
    added->set_because(evidence.because);
  }
  Fill(profile.capabilities, out.mutable_capabilities());
  Fill(profile.reasons, out.mutable_reasons());
}

}  // namespace

v1::ModelProfile ToProto(const ModelProfile& profile) {
  v1::ModelProfile out;
  out.set_schema(profile.schema);
  out.set_repo_id(profile.repo_id);
  if (profile.revision) out.set_revision(*profile.revision);
  out.set_source(profile.source);
  out.set_detector(profile.detector);
  out.set_handler(profile.handler);
  out.set_kind(profile.kind);
  if (profile.architecture) out.set_architecture(*profile.architecture);
  if (profile.model_type) out.set_model_type(*profile.model_type);
  if (profile.loader) out.set_loader(*profile.loader);
  if (profile.parameters) out.set_parameters(*profile.parameters);
  if (profile.dtype) out.set_dtype(*profile.dtype);
  out.set_quantization(profile.quantization);
  if (profile.context_length) out.set_context_length(*profile.context_length);
  if (profile.base_model) out.set_base_model(*profile.base_model);
  if (profile.license) out.set_license(*profile.license);
  out.set_gated(profile.gated);
  out.set_supported(profile.supported);
  FillNeeds(profile, out);
  FillLists(profile, out);
  return out;
}

v1::Job ToProto(const JobRecord& job) {
  v1::Job out;
  out.set_id(job.id);
  out.set_kind(job.kind);
  out.set_state(std::string(ToString(job.state)));
  out.set_subject(job.subject);
  out.set_step(job.step);
  out.set_progress(job.progress);
  out.set_bytes_done(job.bytes_done);
  out.set_bytes_total(job.bytes_total);
  if (job.eta_seconds) out.set_eta_seconds(*job.eta_seconds);
  if (job.error) {
    out.mutable_error()->set_code(job.error->code);
    out.mutable_error()->set_message(job.error->message);
    out.mutable_error()->set_next_step(job.error->next_step);
  }
  out.set_attempt(job.attempt);
  out.set_created_at(FormatTime(job.created_at));
  out.set_updated_at(FormatTime(job.updated_at));
  return out;
}

v1::JobEvent ToProto(const JobEventRecord& event) {
  v1::JobEvent out;
  out.set_sequence(event.sequence);
  out.set_time(FormatTime(event.time));
  out.set_type(event.type);
  out.set_message(event.message);
  *out.mutable_job() = ToProto(event.job);
  return out;
}

v1::Server ToProto(const ServerRecord& server) {
  v1::Server out;
  out.set_model(server.model);
  out.set_state(std::string(ToString(server.state)));
  out.set_engine(server.engine);
  out.set_pid(server.pid);
  out.set_endpoint(server.endpoint);
  out.set_memory_bytes(server.memory_bytes);
  out.set_reserved_bytes(server.reserved_bytes);
  out.set_started_at(TimeText(server.started_at));
  out.set_last_used_at(TimeText(server.last_used_at));
  out.set_in_flight(server.in_flight);
  out.set_reason(server.reason);
  return out;
}

v1::Machine ToProto(const MachineFacts& machine) {
  v1::Machine out;
  out.set_os(machine.os);
  out.set_arch(machine.arch);
  out.set_cpus(machine.cpus);
  out.set_memory_bytes(machine.memory_bytes);
  out.set_disk_free_bytes(machine.disk_free_bytes);
  for (const GpuFacts& gpu : machine.gpus) {
    v1::Gpu* added = out.add_gpus();
    added->set_name(gpu.name);
    added->set_vendor(gpu.vendor);
    added->set_memory_bytes(gpu.memory_bytes);
  }
  return out;
}

v1::Memory ToProto(const MemoryChanged& memory) {
  v1::Memory out;
  out.set_capacity_bytes(memory.capacity_bytes);
  out.set_reserved_bytes(memory.reserved_bytes);
  return out;
}

v1::Model ToProto(const ModelRecord& model, const std::filesystem::path& folder,
                  ServerState server) {
  v1::Model out;
  out.set_name(model.name);
  out.set_folder(model.folder_name);
  out.set_path(folder.string());
  out.set_state(std::string(ToString(model.state)));
  out.set_engine(model.engine);
  out.set_installed_at(FormatTime(model.installed_at));
  out.set_bytes_on_disk(model.bytes_on_disk);
  Fill(model.aliases, out.mutable_aliases());
  *out.mutable_profile() = ToProto(model.profile);
  out.set_server_state(std::string(ToString(server)));
  return out;
}

}  // namespace llmd::rpc
