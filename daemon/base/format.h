// Text for people: sizes and times. Pure functions.
#pragma once

#include <cstdint>
#include <string>

namespace llmd {

// "512 B", "1.5 KiB", "96.1 MiB", "5.3 GiB".
std::string FormatBytes(int64_t bytes);

// "3 s", "2 min 05 s", "1 h 02 min".
std::string FormatSeconds(double seconds);

}  // namespace llmd
