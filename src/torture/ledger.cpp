// Memory that tool and victims share: see ledger.hpp.
#include "torture/ledger.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>

namespace torture {

Ledger::Ledger() : fd_(memfd_create("dlog-torture", MFD_CLOEXEC)) {
  if (fd_ < 0 || ftruncate(fd_, sizeof(LedgerPage)) != 0) throw std::runtime_error("no shared memory for the victims");
  map();
  page_->tool = getpid();
}

Ledger::Ledger(int inherited) : fd_(inherited) { map(); }

Ledger::~Ledger() {
  munmap(page_, sizeof(LedgerPage));
  close(fd_);
}

void Ledger::map() {
  void* const memory = mmap(nullptr, sizeof(LedgerPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("the shared memory cannot be mapped");
  page_ = static_cast<LedgerPage*>(memory);  // all zero is how each of its fields begins
}

}  // namespace torture
