// The table of settings: name, form and place of each in Config. Internal to config/.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml_reader.h"
#include "config/config.h"

namespace llmd::config {

struct Key {
  std::string name;      // "hub.endpoint"
  std::string wants;     // "an address such as https://hub.example.org"
  std::string variable;  // of ours, that sets it; may be empty
  // Others' variables: when one is set, its reader obeys it, so what llmd.yaml says is left out.
  std::vector<const char*> yields_to;
  // Takes the value; false when it has another form.
  std::function<bool(const YamlNode&, Config&)> set;
};

const std::vector<Key>& Keys();
const Key* FindKey(std::string_view name);

// The known name nearest to `wrong` within `section` ("" for the top), or one that ends in it
// elsewhere; empty when nothing is near.
std::string NearestKey(std::string_view section, std::string_view wrong);

}  // namespace llmd::config
