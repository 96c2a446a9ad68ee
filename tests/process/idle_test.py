"""A family at rest costs nothing: no thread wakes, and connections take neither threads nor much memory."""
# ctest: serial timeout=180
import resource
import time
import unittest

from kernel import context_switches, status, threads
from seed import Client, log_frame
from support import FULL, Console, Program, clean_environment, main, sanitizer, until

SETTLE_S = 2
IDLE_S = 10 if FULL else 3
CONNECTIONS = 1000 if FULL else 200


def log_tasks(pid):
    """The threads to watch. A sanitizer's own thread wakes all the time: with one, only a thread named after dlog counts."""
    return [task for task, name in threads(pid).items() if not sanitizer() or name.startswith("dlog")]


class Idle(unittest.TestCase):
    def at_rest(self, *programs):
        """The threads of these programs are not switched to while nothing happens."""
        time.sleep(SETTLE_S)
        tasks = {program: log_tasks(program.pid) for program in programs}
        before = [context_switches(program.pid, tasks[program]) for program in programs]
        time.sleep(IDLE_S)
        after = [context_switches(program.pid, tasks[program]) for program in programs]
        self.assertEqual(after, before, f"context switches in {IDLE_S} s; threads {[threads(p.pid) for p in programs]}")

    def next_record(self, program, console, word):
        """The record that a program logs after its rest appears; says how long it took."""
        start = time.monotonic()
        program.go()
        console.err.wait(word)
        print(f"    {word}: seen after {1000 * (time.monotonic() - start):.1f} ms")

    def test_parent_and_child(self):
        console = Program(self, "t_do", "info up", "address", "wait", "info next of the parent", "wait")
        child = Program(self, "t_do", "info child up", "wait", "info next of the child", "wait",
                        env=clean_environment(DLOG_PIPE=console.answer("address")))
        silent = Client(self, int(console.answer("address").rsplit(":")[1]))
        silent.send(log_frame("a third one"))
        for word in ("child up", "a third one"):
            console.err.wait(word)
        self.at_rest(console, child)
        self.next_record(child, console, "next of the child")
        self.next_record(console, console, "next of the parent")
        self.assertEqual(child.wait(), 0)
        self.assertEqual(console.wait(), 0)

    def test_after_children_have_come_and_gone(self):
        console = Program(self, "t_do", "info up", "address", "wait", "info next", "wait")
        port = int(console.answer("address").rsplit(":")[1])
        clients = [Client(self, port) for _ in range(20)]
        for i, client in enumerate(clients):
            client.send(log_frame(f"visit {i}."))
            console.err.wait(f"visit {i}\\.")
            client.close()
        half = Client(self, port)
        half.send(log_frame("half a frame")[:9])
        self.at_rest(console)
        self.next_record(console, console, "next")
        self.assertEqual(console.wait(), 0)

    def test_a_file_and_bars_that_have_ended(self):
        console = Program(self, "t_do", "bar a 10 Reading", "push a 5", "info up", "done a", "wait", "info next", "wait",
                          env=clean_environment(DLOG_FILE="/dev/null"))
        console.err.wait("up")
        self.at_rest(console)
        self.next_record(console, console, "next")
        self.assertEqual(console.wait(), 0)


class ManyConnections(unittest.TestCase):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(hard, 4096)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_they_cost_no_thread_and_little_memory(self):
        console = Console(self)
        clients = []

        def connect(count):
            for _ in range(count):
                client = Client(self, console.port)
                client.send(log_frame(f"connection {len(clients)}."))
                clients.append(client)
            console.err.wait(f"connection {len(clients) - 1}\\.")
            until(lambda: console.err.text().count("connection ") == len(clients), "a record of every connection")

        connect(10)
        few_threads, few_kib = len(threads(console.pid)), status(console.pid, "VmRSS")
        connect(CONNECTIONS - len(clients))
        self.assertEqual(len(threads(console.pid)), few_threads)
        grown = status(console.pid, "VmRSS") - few_kib
        print(f"    {CONNECTIONS} connections: {grown} KiB more")
        self.assertLess(grown, 4096 * (32 if sanitizer() else 1), "KiB")
        for client in clients:
            client.close()
        text = console.close()
        self.assertEqual(text.count("connection "), CONNECTIONS)

    def test_all_of_them_can_speak(self):
        console = Console(self)
        clients = [Client(self, console.port) for _ in range(CONNECTIONS)]
        for turn in range(3):
            for i, client in enumerate(clients):
                client.send(log_frame(f"turn {turn} of {i}."))
        for client in clients:
            client.close()
        text = console.close()
        for i in range(CONNECTIONS):
            places = [text.index(f"turn {turn} of {i}.\n") for turn in range(3)]
            self.assertEqual(places, sorted(places))

    def test_connections_past_a_descriptor_limit(self):
        count = 60
        console = Console(self)
        resource.prlimit(console.pid, resource.RLIMIT_NOFILE, (32, 32))
        first = Client(self, console.port)
        first.send(log_frame("the first"))
        console.err.wait("the first")
        clients = [Client(self, console.port) for _ in range(count)]
        for client in clients:
            client.send(log_frame("one of many"))
        first.send(log_frame("still the first"))
        console.err.wait("still the first")
        self.assertTrue(console.alive())
        for client in clients:
            client.close()

        def shown():
            # The parent may not have seen yet that the others are gone: then it refuses this one, too.
            later = Client(self, console.port)
            later.send(log_frame("room again"))
            later.closed_by_parent(0.2)
            return "room again" in console.err.text()

        until(shown, "a record of a later connection")
        console.close()


if __name__ == "__main__":
    main()
