// Connections that a server of the other side's accepted and sent here, counted by the server's key: it asks how many are open, and to be
// told when none is.
//
// One thread at a time; the owner's lock.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace dlog::channel {

class OpenSockets {
 public:
  void add(const std::string& key) { ++servers_[key].open; }
  // One is closed. Returns how many questions are to be answered with "all closed" now.
  std::size_t remove(const std::string& key);
  std::size_t count(const std::string& key) const;  // of a key that never came: 0
  // True: none is open, to be answered now; false: remove() will say when.
  bool ask_for_close(const std::string& key);

 private:
  struct Server {
    std::size_t open = 0;
    std::size_t asked = 0;
  };
  std::map<std::string, Server> servers_{};  // those with an open connection
};

}  // namespace dlog::channel
