"""What a parent answers its children, and when: only what is written is confirmed, and no answer costs anybody what he has said."""
import os
import select
import signal
import socket
import unittest

from extension import OurConsole, flush_frame, flushed_frame, hello_frame, record_frame
from support import Collector, Given, Unread, clean_environment, main, plain_lines, until

RECORD = record_frame("a record of some length: " + "x" * 200)


def connected(console, name):
    """A child of version 2 that the parent knows."""
    child = socket.create_connection(("127.0.0.1", console.port))
    child.sendall(hello_frame(name, os.getpid(), console.pipe_id.rsplit(":", 1)[1]))
    return child


def stands_still(pid):
    """All of its threads are stopped: each of them hears of SIGSTOP in its own time."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="utf-8") as file:
            if file.read().rpartition(") ")[2][0] != "T":
                return False
    return True


class Answers(unittest.TestCase):
    def test_nobody_who_is_gone_is_answered(self):
        """An answer to a socket that nobody has any more makes the kernel throw away what it still had for the parent."""
        console = OurConsole(self)
        child = connected(console, "worker")
        child.sendall(record_frame("the first"))
        console.err.wait("the first")
        os.kill(console.pid, signal.SIGSTOP)
        until(lambda: stands_still(console.pid), "the parent stopped")
        child.sendall(flush_frame(1, 1))
        child.setblocking(False)
        sent = 0
        try:
            while True:
                sent += child.send(RECORD * 100)
        except BlockingIOError:
            pass
        child.close()
        os.kill(console.pid, signal.SIGCONT)
        lines = plain_lines(self, console.close())
        self.assertEqual(sum(line.message.startswith("a record of") for line in lines), sent // len(RECORD))

    def test_what_is_not_written_is_not_confirmed(self):
        read, write = os.pipe()
        console = OurConsole(self, "many 2000 full", env=clean_environment(DLOG_QUEUE_BYTES="16M"),
                          terminal=Given(read, write), collector=Unread)
        child = connected(console, "worker")
        child.sendall(record_frame("big " + "x" * 1_040_000) + flush_frame(7, 1))
        self.assertEqual(select.select([child], [], [], 1)[0], [], "an answer, though nobody has read the console")
        console.err = Collector(read)
        self.assertEqual(child.recv(100), flushed_frame(7, 1, 0))
        self.assertIn("big xxx", console.err.text())
        child.close()
        self.assertEqual(console.wait(), 0)


if __name__ == "__main__":
    main()
