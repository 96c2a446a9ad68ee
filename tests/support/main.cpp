// The main of every unit test program. Catch2 3 brings its own; of Catch2 2 Debian packages the header only, which makes one
// where it is asked to.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#endif
#include "support/catch.hpp"
