// The victim whose surroundings fail: see victim.hpp.
#include <pthread.h>
#include <sys/resource.h>

#include <string_view>

#include "dlog/dlog.hpp"
#include "torture/victim.hpp"

namespace torture {
namespace {

// No descriptor more than there are.
bool exhaust_descriptors() {
  const rlimit none{};
  return setrlimit(RLIMIT_NOFILE, &none) == 0;
}

// A stack that no address space holds: every thread fails to start. A limit of processes would not do, for it does not concern
// root.
bool forbid_threads() {
  constexpr std::size_t stack_bytes = std::size_t{1} << 50;
  pthread_attr_t attributes{};
  return pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, stack_bytes) == 0 &&
         pthread_setattr_default_np(&attributes) == 0;
}

}  // namespace

int run_faulty(const std::vector<std::string>& words, const Ledger& ledger) {
  const std::string_view fault = words.at(1);
  const std::size_t source = std::stoul(words.at(2));
  if (fault == "no-descriptors" && !exhaust_descriptors()) return bad_victim;
  if (fault == "no-threads" && !forbid_threads()) return bad_victim;
  Entry& entry = ledger.entry(source);
  log_records(entry, source, 0, std::stoull(words.at(3)));
  flush_and_report(entry, 5'000);
  end_of_work(entry);
  return 0;
}

}  // namespace torture
