// The smallest program: link dlog::dlog, include the header, log.
#include <dlog/dlog.hpp>

int main() {
  const auto us = 12.5;
  dlog::info("hello from one process; a child of it would be heard here, too");
  dlog::info("request {} took {} us", 42, us);
}
