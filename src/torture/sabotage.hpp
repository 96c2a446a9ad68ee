// Faults that are made on purpose, so that a test can see that the tool finds them: `--sabotage <mode>`, handed to the victims in
// their environment.
#pragma once

#include <optional>
#include <string_view>

namespace torture {

inline constexpr const char* sabotage_variable = "TORTURE_SABOTAGE";

// none; a call that is counted and not made; a record logged twice; a filler that does not fit; two records exchanged; a victim
// that never ends; one that dies before its time; a call that takes half a second.
enum class Sabotage { none, lose, twice, tear, exchange, hang, crash, stall };

std::optional<Sabotage> sabotage_named(std::string_view name);

}  // namespace torture
