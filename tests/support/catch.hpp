// Catch2, of either version: 2.13 is one header, 3 is many.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>  // IWYU pragma: export

using Catch::Approx;  // where Catch2 2 has it by itself
#else
#include <catch2/catch.hpp>  // IWYU pragma: export
#endif
