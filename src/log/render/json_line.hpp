// An event as one line of JSON, for programs that read the console. Pure. The keys are in docs/environment.md.
#pragma once

#include <string>

#include "dlog/event.hpp"

namespace dlog::render {

void append_json_record(std::string& out, const Event& event);  // event.record is set
void append_json_bar(std::string& out, const Event& event);     // event.bar is set

}  // namespace dlog::render
