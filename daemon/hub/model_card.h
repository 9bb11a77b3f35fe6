// Reads the YAML head of a model card (README.md). Pure.
#pragma once

#include <string_view>

#include "domain/facts.h"

namespace llmd::hub {

// Fills in license, base_model, pipeline_tag, library_name and tags where the card has them. A card
// without a head, or with a broken one, says nothing.
void TakeModelCard(std::string_view card, RepositoryInfo& info);

}  // namespace llmd::hub
