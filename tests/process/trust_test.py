"""Who is heard, and whom a child speaks to: real processes of several users on the loopback interface.

DLOG_TEST_FULL=1 makes 10,000 connections of strangers to each kind of parent, and 10,000 processes that find a stale DLOG_PIPE.
"""
# ctest: timeout=600
import os
import re
import resource
import shutil
import signal
import socket
import stat
import struct
import tempfile
import unittest

import kernel
from extension import announced, hello_frame, record_frame
from seed import FRAME_BYTES_MAX, Client, create_frame, log_frame
from stranger import CROWD, NOBODY, SOMEBODY, Recorder, as_user, needs_root, speak, start
from support import FULL, Given, Program, Unread, binary, clean_environment, main, messages, notices, plain_lines, run, sanitizer, until

# As they are named in src/log/hub/connections.hpp and connection.hpp.
CONNECTIONS_MAX = 4096
KNOCKING_MAX = 256
HELLO_BYTES_MAX = 4096
BARS_PER_CONNECTION_MAX = 4096
HELD_BYTES_MAX = 64 << 20

WRONG_TOKEN = "0" * 31 + "1"
# What a stranger may send: frames, and what it does then.
SEED = log_frame("a stranger's word")
HELLO = hello_frame("bank", 4711, token=WRONG_TOKEN) + record_frame("a stranger's word", notice=True)
KINDS = {
    "frames of the seed": (SEED, "closed"),
    "no hello": (record_frame("a stranger's word"), "closed"),
    "a wrong token": (HELLO, "closed"),
    "an empty token": (hello_frame("bank", 4711, token="") + record_frame("a stranger's word"), "closed"),
    "an end as it should be": (SEED, "shutdown"),
}
EARLY = {
    "an early close": (SEED * 3, "early"),
    "an early close after a hello": (HELLO, "early"),
    "a reset": (SEED, "reset"),
}


def share(full, default, kinds):
    """Of a number of trials, as many as each kind has."""
    return max(1, (full if FULL else default) // kinds)


class Host(Program):
    """A parent that does what it is told, as any user."""

    def __init__(self, case, user=None, **variables):
        super().__init__(case, "t_do", "address", "getenv DLOG_PIPE_ID", "obey", env=clean_environment(**variables), **as_user(user))
        self.out.wait("^obeying$")
        self.address = self.answer("address")
        self.port = int(self.address.rsplit(":", 1)[1])
        self.pipe_id = self.answer("getenv").partition("=")[2]
        self.token = self.pipe_id.rsplit(":", 1)[1]
        self.variables = {"DLOG_PIPE": self.address, "DLOG_PIPE_ID": self.pipe_id}
        self.asked = 0

    def tell(self, line):
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def stats(self):
        self.asked += 1
        self.tell("stats")
        self.out.wait("^stats .*\n", self.asked)
        line = re.findall("^stats (.*)$", self.out.text(), re.M)[self.asked - 1]
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}

    def wait_for(self, key, count):
        until(lambda: self.stats()[key] == count, lambda: f"{key} {count} in {self.stats()}")

    def lines(self, case):
        code = self.wait()
        case.assertEqual(code, 0)
        return plain_lines(case, self.err.text())


def told_refusals(lines):
    return [line.message for line in notices(lines) if line.message.startswith("connection refused")]


class StrangersAtTheDoor(unittest.TestCase):
    """Another user's processes speak to a parent that did not start them."""

    def strangers(self, host, kinds, user, count):
        for what, (data, end) in kinds.items():
            with self.subTest(what):
                said = speak(self, host.port, data, count, end, user)
                if end in ("closed", "shutdown"):
                    self.assertEqual((said["closed"], said["open"], said["heard"]), (count, 0, ""))

    def refused_by(self, parent, stranger):
        host = Host(self, parent)
        every = {**KINDS, **EARLY}
        count = share(10_000, 56, len(every))
        self.strangers(host, every, stranger, count)
        host.wait_for("refused", count * len(every))
        host.wait_for("children", 0)
        lines = host.lines(self)
        self.assertEqual(messages(lines), [])
        told = told_refusals(lines)
        self.assertEqual(len(told), len(set(told)), "each kind is told once")
        self.assertTrue(any("another user's" in each for each in told), told)
        self.assertEqual(len(notices(lines)), len(told), lines)
        print(f"    parent {parent or 'root'}, stranger {stranger}: 0 lines of {count * len(every)} connections, all refused; told {len(told)} kinds")

    @needs_root
    def test_a_parent_that_is_root(self):
        self.refused_by(None, NOBODY)

    @needs_root
    def test_a_parent_that_is_not_root(self):
        self.refused_by(NOBODY, SOMEBODY)

    @needs_root
    def test_root_is_a_stranger_to_others(self):
        host = Host(self, NOBODY)
        self.strangers(host, KINDS, None, 2)
        host.wait_for("refused", 2 * len(KINDS))
        self.assertEqual(messages(host.lines(self)), [])

    @needs_root
    def test_with_the_token_only_they_are_refused_as_well(self):
        for parent in (None, NOBODY):
            host = Host(self, parent, DLOG_TRUST="token")
            count = share(3_000, 12, len(EARLY))
            self.strangers(host, EARLY, SOMEBODY, count)
            host.wait_for("refused", count * len(EARLY))
            lines = host.lines(self)
            self.assertEqual(messages(lines), [])
            self.assertEqual(len(told_refusals(lines)), 1, lines)

    @needs_root
    def test_the_token_opens_the_door(self):
        for parent in (None, NOBODY):
            host = Host(self, parent)
            speak(self, host.port, hello_frame("friend", 815, token=host.token) + record_frame("by hand"), end="shutdown", user=SOMEBODY)
            # And a program of ours that was handed both variables.
            child = run(self, "t_once", "handed", "3", env=clean_environment(**host.variables), **as_user(SOMEBODY))
            self.assertEqual((child.out.bytes(), child.err.bytes()), (b"", b""))
            lines = host.lines(self)
            self.assertEqual([(line.name, line.pid) for line in lines if line.message == "by hand"], [("friend", 815)])
            self.assertEqual(len([line for line in lines if line.message.startswith("rec handed/0")]), 3)
            self.assertEqual(told_refusals(lines), [])

    @needs_root
    def test_a_stranger_that_says_too_much_before_its_hello(self):
        host = Host(self)
        before = kernel.status(host.pid, "VmRSS")
        for _ in range(20):
            said = speak(self, host.port, struct.pack(">I", FRAME_BYTES_MAX) + b"\x10" + b"x" * 1_000_000, user=NOBODY)
            self.assertEqual(said["closed"], 1)
        host.wait_for("refused", 20)
        self.assertLess(kernel.status(host.pid, "VmRSS") - before, 4096 * (8 if sanitizer() else 1), "KiB")
        self.assertEqual(len(told_refusals(host.lines(self))), 1)


class Trust(unittest.TestCase):
    """DLOG_TRUST."""

    def test_with_the_token_only(self):
        host = Host(self, DLOG_TRUST="token")
        silent = Client(self, host.port)
        for data in (SEED, HELLO, hello_frame("bank", 1, token=host.token[:-1]) + record_frame("too short")):
            client = Client(self, host.port)
            client.send(data)
            self.assertTrue(client.closed_by_parent(), "who says anything else first need not be waited for")
        friend = Client(self, host.port)
        friend.send(hello_frame("friend", 815, token=host.token) + record_frame("proved"))
        host.err.wait(r"INF friend\[815\]: proved$")
        child = run(self, "t_once", "ours", "3", env=clean_environment(**host.variables))
        self.assertEqual(child.err.bytes(), b"")
        self.assertTrue(silent.closed_by_parent(), "who says nothing has 2 s")
        self.assertTrue(friend.silent(), "who has proved it once need not again")
        host.wait_for("refused", 4)
        lines = host.lines(self)
        self.assertEqual([m for m in messages(lines) if not m.startswith("rec ours/0")], ["proved"])
        self.assertEqual(len(messages(lines)), 4)
        told = told_refusals(lines)
        self.assertEqual(len(told), 2, told)
        self.assertTrue(any("proved nothing within 2 s" in each for each in told), told)

    @needs_root
    def test_an_open_door(self):
        for parent in (None, NOBODY):
            host = Host(self, parent, DLOG_TRUST="open")
            for data, end in [*KINDS.values(), *EARLY.values()]:
                if end != "reset":
                    speak(self, host.port, data, end="shutdown" if end == "closed" else end, user=SOMEBODY)
            until(lambda: host.err.text().count("a stranger's word") == 3 + len(KINDS) + 1, "all strangers")
            lines = host.lines(self)
            self.assertEqual({line.name for line in lines if line.message == "a stranger's word"} - {"child", "bank", "dlog"}, set())
            self.assertEqual(told_refusals(lines), [])

    @needs_root
    def test_an_unknown_word_is_told_and_opens_nothing(self):
        for word in ("everybody", "Open ", "1", "token,open"):
            host = Host(self, DLOG_TRUST=word)
            speak(self, host.port, SEED, user=NOBODY)
            host.wait_for("refused", 1)
            lines = host.lines(self)
            told = [line.message for line in notices(lines) if "DLOG_TRUST" in line.message]
            self.assertEqual(len(told), 1, lines)
            self.assertIn(f'"{word}"', told[0])
            self.assertEqual(messages(lines), [])


class StaleAddresses(unittest.TestCase):
    """A child finds a DLOG_PIPE behind which there is a stranger, or nobody: not a byte for him, one debug line, its own console."""

    CASES = 8  # without a count of their own

    def alone(self, variables, count=None, user=None):
        count = share(10_000, 16, self.CASES) if count is None else count
        program = run(self, "t_stale", "stale", str(count), env=clean_environment(**variables), **as_user(user))
        self.assertEqual(program.out.text(), "failures 0\n")
        lines = plain_lines(self, program.err.text())
        self.assertEqual(sorted(messages(lines)), sorted(f"rec stale/0 {i}" for i in range(count)))
        told = [line for line in lines if line.name == "dlog"]
        self.assertEqual([line.level for line in told], ["DBG"] * count, told[:5])
        self.assertEqual(len({line.pid for line in told}), count, "one line for each")
        print(f"    {count} processes alone: {told[0].message.split(': ', 1)[1]}")
        return told[0].message

    def nothing_heard(self, recorder):
        connections, said = recorder.end()
        self.assertEqual((connections, said), (0, b""))
        print("    0 connections and 0 bytes at the stranger's")

    def dead_parent(self, user=None):
        """The variables of a parent that was killed."""
        host = Host(self, user)
        host.process.kill()
        host.process.wait()
        return host.variables, host.port

    def test_a_closed_port(self):
        variables, port = self.dead_parent()
        kept = socket.socket()  # nobody else's meanwhile
        self.addCleanup(kept.close)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", port))
        self.assertIn("listens no more", self.alone(variables))
        self.assertIn("nobody listens there", self.alone({"DLOG_PIPE": variables["DLOG_PIPE"]}))

    def test_a_port_that_a_program_of_the_same_user_has_now(self):
        variables, port = self.dead_parent()
        recorder = Recorder(self, port=port)
        self.assertIn("somebody else", self.alone(variables))
        self.nothing_heard(recorder)

    def test_a_port_that_another_parent_of_ours_has_now(self):
        host = Host(self)
        other = {"DLOG_PIPE": host.address, "DLOG_PIPE_ID": f"{host.port}:1:{int(host.pipe_id.split(':')[2]) + 1}:{WRONG_TOKEN}"}
        self.assertIn("somebody else", self.alone(other))
        self.assertEqual(host.stats()["refused"], 0)
        self.assertEqual(messages(host.lines(self)), [])

    @needs_root
    def test_a_port_that_another_user_has_now(self):
        variables, port = self.dead_parent()
        recorder = Recorder(self, NOBODY, port)
        self.assertIn("somebody else", self.alone(variables))
        self.assertIn("another user's (65534)", self.alone({"DLOG_PIPE": variables["DLOG_PIPE"]}))
        self.assertIn("another user's (65534)", self.alone({"DLOG_PIPE": variables["DLOG_PIPE"]}, user=SOMEBODY))
        self.nothing_heard(recorder)

    @needs_root
    def test_a_middle_process_of_another_user_that_sets_the_address_alone(self):
        host = Host(self)
        recorder = Recorder(self, NOBODY)
        self.alone({"DLOG_PIPE": recorder.address, "DLOG_PIPE_ID": host.pipe_id})
        self.nothing_heard(recorder)

    def test_a_middle_process_of_the_same_user_hears_the_seed_and_no_token(self):
        """Such a one is a parent of the seed's as far as anybody can see."""
        host = Host(self)
        recorder = Recorder(self)
        program = run(self, "t_do", "info for the middle", env=clean_environment(DLOG_PIPE=recorder.address, DLOG_PIPE_ID=host.pipe_id))
        self.assertEqual(program.err.bytes(), b"")
        connections, said = recorder.end()
        self.assertEqual(connections, 1)
        self.assertIn(b"for the middle", said)
        self.assertNotIn(host.token.encode(), said)
        self.assertEqual(said[4], 0, "the first frame is a record")

    def test_another_address_of_this_machine_with_the_same_port(self):
        host = Host(self)
        recorder = Recorder(self, port=host.port, host="127.0.0.2")
        self.assertIn("somebody else", self.alone({"DLOG_PIPE": f"127.0.0.2:{host.port}", "DLOG_PIPE_ID": host.pipe_id}, 2))
        self.nothing_heard(recorder)

    def test_addresses_that_are_not_of_the_loopback_interface(self):
        recorder = Recorder(self, host="0.0.0.0")
        addresses = {"0.0.0.0", "0", "128.0.0.1", "126.255.255.255", "::1", "[::1]", "localhost"}
        addresses |= {found[4][0] for found in addresses_of_this_machine() if not found[4][0].startswith("127.")}
        for address in addresses:
            self.alone(announced(f"{address}:{recorder.port}"), 1)
        self.nothing_heard(recorder)

    @needs_root
    def test_a_program_with_more_rights_than_its_caller(self):
        """It believes nothing of its environment: neither where to send what it says, nor where to write it."""
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            if os.statvfs(folder).f_flag & os.ST_NOSUID:
                self.skipTest("programs here get no rights")
            program = shutil.copy(binary("t_do"), folder)
            os.chmod(program, 0o4755)
            self.assertTrue(os.stat(program).st_mode & stat.S_ISUID)
            recorder = Recorder(self, SOMEBODY)
            told = os.path.join(folder, "log")
            child = run(self, program, "info mine", "role", env=clean_environment(DLOG_FILE=told, **announced(recorder.address)), **as_user(SOMEBODY))
            self.assertEqual(messages(plain_lines(self, child.err.text())), ["mine"])
            self.assertIn("role aggregator\n", child.out.text())
            self.assertFalse(os.path.exists(told))
            self.nothing_heard(recorder)


def addresses_of_this_machine():
    try:
        return socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return []


class Limits(unittest.TestCase):
    """What strangers and children may cost a parent: each limit holds, and is told."""

    def in_kib(self, host):
        return kernel.status(host.pid, "VmRSS")

    def test_connections(self):
        more = 40
        needed = 2 * CONNECTIONS_MAX + 500
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < needed:
            self.skipTest(f"a process may have {hard} descriptors here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        host = Host(self)
        before = self.in_kib(host)
        clients = [Client(self, host.port) for _ in range(CONNECTIONS_MAX)]
        host.wait_for("children", CONNECTIONS_MAX)
        grown = self.in_kib(host) - before
        late = [Client(self, host.port) for _ in range(more)]
        for client in late:
            self.assertTrue(client.closed_by_parent())
        for client in (clients[0], clients[-1]):
            client.send(log_frame("one of many"))
        host.err.wait("one of many", 2)
        self.assertEqual({key: host.stats()[key] for key in ("refused", "children")}, {"refused": more, "children": CONNECTIONS_MAX})
        clients[0].close()
        host.wait_for("children", CONNECTIONS_MAX - 1)
        again = Client(self, host.port)
        again.send(log_frame("room again"))
        host.err.wait("room again")
        print(f"    {CONNECTIONS_MAX} connections: {grown} KiB more, {more} refused")
        self.assertLess(grown, 16384 * (8 if sanitizer() else 1), "KiB")
        for client in clients:
            client.socket.close()
        told = told_refusals(host.lines(self))
        self.assertEqual(told, [f"connection refused: more than {CONNECTIONS_MAX} connections; further ones are only counted"])

    def test_who_must_prove_that_he_may_speak(self):
        """This user's own, though there are many of them, keep nobody out."""
        more = 20
        host = Host(self, DLOG_TRUST="token")
        before = self.in_kib(host)
        silent = [Client(self, host.port) for _ in range(KNOCKING_MAX + more)]
        for client in silent[::2]:
            client.send(struct.pack(">I", FRAME_BYTES_MAX) + b"\x10" + b"x" * (HELLO_BYTES_MAX - 10))
        host.wait_for("children", len(silent))
        child = run(self, "t_once", "ours", "3", env=clean_environment(**host.variables))
        self.assertEqual(child.err.bytes(), b"")
        grown = self.in_kib(host) - before
        for client in silent:
            self.assertTrue(client.closed_by_parent())
        host.wait_for("refused", len(silent))
        print(f"    {len(silent)} that prove nothing: {grown} KiB more")
        self.assertLess(grown, 8192 * (8 if sanitizer() else 1), "KiB")
        lines = host.lines(self)
        self.assertEqual(len(messages(lines)), 3)
        self.assertEqual(len(told_refusals(lines)), 1, lines)

    @needs_root
    def test_strangers_do_not_keep_children_out(self):
        for trust in ("same_user", "token"):
            with self.subTest(trust):
                self.children_come_in(Host(self, DLOG_TRUST=trust))

    def children_come_in(self, host):
        # They come again as they are turned away.
        crowd = [start(self, CROWD, NOBODY, port=host.port, count=KNOCKING_MAX) for _ in range(2)]
        until(lambda: host.stats()["refused"] > KNOCKING_MAX, "a crowd at the door")
        for i in range(20):
            child = run(self, "t_once", f"ours{i}", "3", env=clean_environment(**host.variables))
            self.assertEqual(child.err.bytes(), b"")
            host.err.wait(f"rec ours{i}/0 2 ")
        for each in crowd:
            self.assertIsNone(each.poll())
            each.kill()
        lines = host.lines(self)
        self.assertEqual(len(messages(lines)), 60)
        print(f"    {len(told_refusals(lines))} kinds told")

    def test_frames_that_are_not_whole(self):
        host = Host(self)
        before = self.in_kib(host)
        most = before
        count = HELD_BYTES_MAX // FRAME_BYTES_MAX + 2
        clients = [Client(self, host.port) for _ in range(count)]
        piece = b"x" * 990_000
        for client in clients:
            client.send(struct.pack(">I", FRAME_BYTES_MAX))
            for _ in range(10):
                client.send(piece)
                most = max(most, self.in_kib(host))
        host.err.wait("too many frames that are not whole")
        gone = until(lambda: [c for c in clients if not c.silent()], "a connection that was closed")
        most = max(most, self.in_kib(host))
        self.assertLess(len(gone), len(clients))
        for client in clients:
            client.socket.close()
        told = [line.message for line in notices(host.lines(self))]
        for client in gone:
            self.assertEqual(len([m for m in told if re.search(rf"\b{client.port}\b", m)]), 1, told)
        print(f"    {count} frames of {FRAME_BYTES_MAX} bytes: {(most - before) >> 10} MiB at most, {len(gone)} closed")
        self.assertLess(most - before, (2 * HELD_BYTES_MAX >> 10) * (4 if sanitizer() else 1), "KiB")

    def test_bars_of_a_connection(self):
        host = Host(self)
        client = Client(self, host.port)
        before = self.in_kib(host)
        for first in range(0, 2 * BARS_PER_CONNECTION_MAX, 512):
            client.send(b"".join(create_frame(i, "b" * 1000, 10) for i in range(first, first + 512)))
        client.send(log_frame("still heard"))
        host.err.wait("still heard")
        grown = self.in_kib(host) - before
        client.close()
        lines = host.lines(self)
        told = [line.message for line in notices(lines) if "open bars" in line.message]
        self.assertEqual(len(told), 1, told)
        self.assertIn(f"more than {BARS_PER_CONNECTION_MAX} open bars", told[0])
        orphans = [line for line in lines if "orphaned" in line.message]
        self.assertEqual(len(orphans), BARS_PER_CONNECTION_MAX)
        print(f"    {BARS_PER_CONNECTION_MAX} bars of {2 * BARS_PER_CONNECTION_MAX}: {grown} KiB more")
        self.assertLess(grown, 65536 * (4 if sanitizer() else 1), "KiB")


class Descriptors(unittest.TestCase):
    """What dlog opens no other program gets, and what it was given stays as it was."""

    CLOSE_ON_EXEC = 0o2000000

    def flags(self, pid):
        result = {}
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
                    result[int(fd)] = int(re.search(r"flags:\s*(\d+)", file.read())[1], 8)
            except FileNotFoundError:
                pass
        return result

    def check(self, pid, before):
        now = self.flags(pid)
        self.assertEqual({fd: now[fd] for fd in before}, before, "what it was given is as it was")
        ours = {fd: flags for fd, flags in now.items() if fd not in before}
        self.assertTrue(ours)
        self.assertEqual({fd: oct(flags) for fd, flags in ours.items() if not flags & self.CLOSE_ON_EXEC}, {})

    def started(self, **variables):
        """A program before its first call, and what it was given."""
        program = Program(self, "t_do", "obey", env=clean_environment(**variables))
        program.out.wait("^obeying$")
        given = self.flags(program.pid)
        return program, given

    def tell(self, program, line):
        program.process.stdin.write(f"{line}\n".encode())
        program.process.stdin.flush()

    def test_all_of_ours_are_closed_on_exec(self):
        with tempfile.TemporaryDirectory() as folder:
            parent, parents_given = self.started(DLOG_FILE=os.path.join(folder, "log"))
            self.tell(parent, "info up")
            self.tell(parent, "getenv DLOG_PIPE_ID")
            self.tell(parent, "address")
            address = parent.answer("address")
            variables = {"DLOG_PIPE": address, "DLOG_PIPE_ID": parent.answer("getenv").partition("=")[2]}
            child, childs_given = self.started(**variables)
            self.tell(child, "info child up")
            parent.err.wait("child up")
            self.check(parent.pid, parents_given)
            self.check(child.pid, childs_given)
            # The same once it is its own console.
            parent.process.kill()
            parent.process.wait()
            self.tell(child, "info on its own")
            child.err.wait("on its own")
            self.check(child.pid, childs_given)
            self.assertEqual(child.wait(), 0)

    def test_while_bytes_wait_for_a_console_that_takes_nothing(self):
        """The console is opened once more meanwhile: without a change to what others share."""
        read, write = os.pipe()
        pipe = os.readlink(f"/proc/self/fd/{write}")
        self.addCleanup(os.close, read)
        program = Program(self, "t_do", "obey", terminal=Given(read, write), collector=Unread, env=clean_environment(DLOG_OVERFLOW="drop"))
        program.out.wait("^obeying$")
        given = self.flags(program.pid)
        self.tell(program, "many 5000 own")

        def has_opened_it_again():
            fds = f"/proc/{program.pid}/fd"
            try:
                return sum(os.readlink(f"{fds}/{fd}") == pipe for fd in os.listdir(fds)) == 2
            except FileNotFoundError:  # while the pipe takes something, it is closed again at once
                return False

        until(has_opened_it_again, "the console's second description")
        self.check(program.pid, given)
        program.process.kill()

    def test_sigpipe_is_nobodys_business(self):
        """A child whose parent goes away meets closed sockets: the signal is neither raised nor touched."""
        for shell, word in (("trap - PIPE;", "default"), ("trap '' PIPE;", "ignored")):
            host = Host(self)
            child = Program(self, "/bin/sh", "-c", f"{shell} exec \"$0\" \"$@\"", binary("t_do"), "sigpipe", "info one", "flush", "wait",
                            "many 2000 own", "flush", "sigpipe", "say alive", env=clean_environment(**host.variables))
            child.out.wait("^waiting$")
            os.kill(host.pid, signal.SIGKILL)
            host.process.wait()
            child.go()
            self.assertEqual(child.wait(), 0)
            self.assertEqual(re.findall(r"^sigpipe (\w+)$", child.out.text(), re.M), [word, word])
            self.assertIn("alive\n", child.out.text())


if __name__ == "__main__":
    main()
