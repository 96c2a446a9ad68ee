"""Other sides that break the rules, that fail, that sleep and that go away: the program lives, is told, and hears what comes after."""
# ctest: timeout=300
import json
import os
import signal
import socket
import tempfile
import unittest

from channel_peers import VARIABLES, Raw, RawChild, RawParent, Talker, channel_environment, exchange, high_water_kib
from support import DEADLINE, main, sanitizer, scaled, until

LINE_MAX = 16 << 20
MEASURES_MEMORY = not sanitizer("t_channel")
ACK = {"cmd": "NODE_HANDLE_ACK"}
NACK = {"cmd": "NODE_HANDLE_NACK"}


def handle_line(message, kind="net.Socket", **more):
    return {"cmd": "NODE_HANDLE", "type": kind, "msg": message} | more


class Faults:
    """Whichever side of the C++ program the test plays."""

    end = Raw

    def open(self, *options, **how):
        raw = self.end(self, *options, **how)
        self.alive = 0
        return raw

    def lives(self, raw):
        """What is sent to it now it hears, and answers."""
        self.alive += 1
        raw.line({"alive": self.alive})
        raw.await_line(lambda line: line == {"alive": self.alive})

    def errors(self, raw):
        return [error["code"] for error in raw.other.having("error")]

    def check_errors(self, raw, *codes):
        """These, and no others; after what was sent now has been heard."""
        self.lives(raw)
        until(lambda: len(self.errors(raw)) >= len(codes), raw.other.seen)
        self.assertEqual(self.errors(raw), list(codes), raw.other.seen())

    def open_descriptors(self, raw):
        return len(os.listdir(f"/proc/{raw.other.pid}/fd"))

    def leave(self, raw):
        raw.close()
        raw.other.await_key("disconnect")
        raw.ends_with(0)

    # ---- how it comes

    def test_two_messages_in_one_write(self):
        raw = self.open()
        raw.send(b'{"one":1}\n"two"\n')
        raw.await_line(lambda line: line == "two")
        self.assertEqual(raw.lines(), [{"one": 1}, "two"])
        self.check_errors(raw)
        self.leave(raw)

    def test_a_message_in_writes_of_one_byte(self):
        raw = self.open()
        text = '{"text":"\u00e9 \u4e2d \U0001f600 \\u0000","list":[1,-2.5e3,null]}'.encode() + b"\n"
        for i in range(len(text)):
            raw.send(text[i:i + 1])
        raw.await_line(lambda line: line == json.loads(text))
        self.check_errors(raw)
        self.leave(raw)

    def test_a_handle_in_writes_of_one_byte(self):
        for at in (0, 10, -1):
            raw = self.open()
            text = b'"before"\n' + json.dumps(handle_line("pieces")).encode() + b"\n"
            first = len(b'"before"\n') if at >= 0 else len(text)
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    for i in range(len(text)):
                        raw.send(text[i:i + 1], *([theirs.fileno()] if i == first + at else []))
                raw.await_line(lambda line: line == ACK)
                self.assertEqual(raw.other.await_event(lambda e: "handle" in e), {"handle": "socket", "message": "pieces"})
                self.assertIn("hello", exchange(ours, "hello"))
            self.check_errors(raw)
            self.leave(raw)

    # ---- what it is

    def test_what_is_no_json(self):
        bad = [b"", b"nonsense", b'{"a":', b'{"a":1} x', b"[1,]", b"{a:1}", b"NaN", b"'x'", b"\0", b'"\t"', b"01", b'"unfinished', b"1 2",
               b'{"a":1,"a":2}', b"[" * 100]
        raw = self.open()
        raw.send(b"\n".join(bad) + b"\n")
        self.check_errors(raw, *["bad_message"] * len(bad))
        self.leave(raw)

    def test_what_is_no_utf8(self):
        bad = [b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf5\x80\x80\x80"', b'"\xe4\xb8"', b'{"\x80":1}', b'"\\ud800"', b'"\\udc00\\ud800"']
        raw = self.open()
        raw.send(b"\n".join(bad) + b"\n")
        self.check_errors(raw, *["bad_message"] * len(bad))
        self.leave(raw)

    def test_nested_a_million_deep(self):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            raw = self.open()
            before = high_water_kib(raw.other.pid)
            for _ in range(3):
                raw.send(opening * 1_000_000 + b"1" + closing * 1_000_000 + b"\n")
            raw.send(opening * 15_000_000 if opening == b"[" else opening * 3_000_000)
            raw.send(b"\n")
            raw.send(b"[" * 64 + b"]" * 64 + b"\n" + b"[" * 65 + b"]" * 65 + b"\n")
            self.check_errors(raw, *["bad_message"] * 5)
            if MEASURES_MEMORY:
                self.assertLess(high_water_kib(raw.other.pid) - before, 64 << 10)
            self.leave(raw)

    def test_the_longest_line_and_one_that_is_longer(self):
        raw = self.open()
        raw.send(b'"' + b"a" * (LINE_MAX - 2) + b'"\n')
        raw.await_line(lambda line: line == "a" * (LINE_MAX - 2))
        raw.send(b'"' + b"b" * (LINE_MAX - 1) + b'"\n')
        self.check_errors(raw, "message_too_long")
        self.leave(raw)

    def test_a_line_that_goes_on_and_on(self):
        raw = self.open()
        before = high_water_kib(raw.other.pid)
        for _ in range(256):
            raw.send(b"x" * (1 << 20))
        raw.send(b"\n")
        self.check_errors(raw, "message_too_long")
        if MEASURES_MEMORY:
            self.assertLess(high_water_kib(raw.other.pid) - before, 48 << 10, "256 MiB were sent")
        self.leave(raw)

    # ---- commands out of place

    def test_stray_commands(self):
        stray = [ACK, NACK, {"cmd": "NODE_X"}, {"cmd": "NODE_HANDLE"}, {"cmd": "NODE_HANDLE", "type": "net.Socket"},
                 {"cmd": "NODE_SOCKET_COUNT", "key": "no", "count": 3}, {"cmd": "NODE_SOCKET_ALL_CLOSED", "key": "no"},
                 {"cmd": "NODE_SOCKET_GET_COUNT"}, {"cmd": "NODE_SOCKET_NOTIFY_CLOSE", "key": 7}, {"cmd": "NODE_CLUSTER", "act": "x"},
                 {"cmd": "NODE_HANDLE", "type": 7, "msg": 1}, {"cmd": "NODE_HANDLE_ACKS"}]
        raw = self.open()
        for line in stray:
            raw.line(line)
        self.check_errors(raw, *["unexpected_command"] * len(stray))
        self.assertEqual(raw.lines(), [{"alive": 1}], "nothing else was answered")
        self.leave(raw)

    def test_questions_for_a_server_that_nobody_knows(self):
        raw = self.open()
        raw.line({"cmd": "NODE_SOCKET_GET_COUNT", "key": "6:::1:99"})
        raw.await_line(lambda line: line == {"cmd": "NODE_SOCKET_COUNT", "key": "6:::1:99", "count": 0})
        raw.line({"cmd": "NODE_SOCKET_NOTIFY_CLOSE", "key": "6:::1:99"})
        raw.await_line(lambda line: line == {"cmd": "NODE_SOCKET_ALL_CLOSED", "key": "6:::1:99"})
        self.check_errors(raw)
        self.leave(raw)

    def test_who_asks_a_thousand_times_is_answered_a_thousand_times(self):
        raw = self.open()
        for _ in range(1000):
            raw.line({"cmd": "NODE_SOCKET_GET_COUNT", "key": "k"})
        raw.await_line(lambda line: line == {"cmd": "NODE_SOCKET_COUNT", "key": "k", "count": 0}, 1000)
        self.check_errors(raw)
        self.leave(raw)

    # ---- descriptors

    def test_a_handle_without_its_descriptor(self):
        raw = self.open()
        raw.line(handle_line("lost"))
        raw.await_line(lambda line: line == NACK)
        self.check_errors(raw, "handle_lost")
        self.assertEqual(raw.other.having("handle"), [])
        self.leave(raw)

    def test_a_handle_of_a_kind_that_nobody_knows(self):
        raw = self.open()
        self.lives(raw)
        before = self.open_descriptors(raw)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            raw.line(handle_line("strange", "net.Pigeon"), theirs.fileno())
            raw.await_line(lambda line: line == NACK)
        self.check_errors(raw, "handle_lost")
        self.assertEqual(self.open_descriptors(raw), before)
        self.leave(raw)

    def test_descriptors_that_are_not_what_they_are_called(self):
        raw = self.open()
        self.lives(raw)
        before = self.open_descriptors(raw)
        with open("/dev/null", "rb") as file, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram, socket.create_server(
                ("127.0.0.1", 0)) as server:
            lies = [("net.Socket", file), ("net.Server", file), ("dgram.Socket", file), ("net.Native", file), ("net.Socket", datagram),
                    ("net.Server", datagram), ("dgram.Socket", server), ("net.Socket", server)]
            for count, (kind, descriptor) in enumerate(lies):
                raw.line(handle_line("a lie", kind), descriptor.fileno())
                raw.await_line(lambda line: line == NACK, count + 1)
        self.check_errors(raw, *["handle_lost"] * len(lies))
        self.assertEqual(self.open_descriptors(raw), before)
        self.leave(raw)

    def test_descriptors_without_a_message_for_them(self):
        raw = self.open()
        self.lives(raw)
        before = self.open_descriptors(raw)
        with open("/dev/null", "rb") as file:
            for _ in range(50):
                raw.line("a message", file.fileno())
                raw.line({"cmd": "NODE_X"}, file.fileno())
                raw.send(b"nonsense\n", file.fileno())
            self.lives(raw)
            raw.line(ACK, file.fileno())
        until(lambda: len(self.errors(raw)) >= 252, raw.other.seen)
        self.assertEqual(sorted(set(self.errors(raw))), ["bad_message", "stray_descriptor", "unexpected_command"])
        self.assertEqual(self.errors(raw).count("stray_descriptor"), 151)
        self.assertEqual(raw.lines().count("a message"), 50)
        self.lives(raw)
        self.assertEqual(self.open_descriptors(raw), before)
        self.leave(raw)

    def test_several_descriptors_with_one_message(self):
        raw = self.open()
        self.lives(raw)
        ours, theirs = socket.socketpair()
        with ours, open("/dev/null", "rb") as file:
            with theirs:
                raw.line(handle_line("the first"), theirs.fileno(), *[file.fileno()] * 5)
            raw.await_line(lambda line: line == ACK)
            self.assertEqual(raw.other.await_event(lambda e: "handle" in e), {"handle": "socket", "message": "the first"})
            self.assertIn("hello", exchange(ours, "hello"))
            self.check_errors(raw, *["stray_descriptor"] * 5)
            before = self.open_descriptors(raw)
            raw.line("a crowd", *[file.fileno()] * 40)
            raw.await_line(lambda line: line == "a crowd")
            self.lives(raw)
            until(lambda: set(self.errors(raw)[5:]) == {"stray_descriptor", "handle_lost"}, raw.other.seen)
            self.assertEqual(self.open_descriptors(raw), before)
        self.leave(raw)

    def test_a_descriptor_within_a_line_that_is_too_long(self):
        raw = self.open("line=1000")
        self.lives(raw)
        before = self.open_descriptors(raw)
        with open("/dev/null", "rb") as file:
            raw.send(b"x" * 500)
            raw.send(b"x" * 600, file.fileno())
            raw.send(b"x" * 600, file.fileno())
            raw.send(b"\n")
        self.check_errors(raw, "message_too_long", "stray_descriptor", "stray_descriptor")
        self.assertEqual(self.open_descriptors(raw), before)
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                raw.line(handle_line("good"), theirs.fileno())
            raw.await_line(lambda line: line == ACK)
        self.leave(raw)

    # ---- our own handles

    def send_one(self, raw, *also):
        with socket.create_server(("127.0.0.1", 0)) as server:
            raw.other.ask("connect", name="c", port=server.getsockname()[1])
            client, _ = server.accept()
        self.addCleanup(client.close)
        raw.other.do("send", message="ours", handle="c", tell="ours")
        for message in also:
            raw.other.do("send", message=message)
        return client

    def is_ours(self, line):
        return isinstance(line, dict) and line.get("cmd") == "NODE_HANDLE" and line.get("type") == "net.Socket"

    def test_a_handle_that_is_refused_three_times(self):
        raw = self.open()
        client = self.send_one(raw, "after")
        for turn in range(1, 4):
            raw.await_line(self.is_ours, turn)
            until(lambda: len(raw.descriptors) == turn, lambda: raw.descriptors)
            raw.line(NACK)
        raw.await_line(self.is_ours, 4)
        self.lives_while_waiting(raw)
        self.assertNotIn("after", raw.lines(), "it waits for the answer")
        raw.line(ACK)
        sent = raw.other.await_event(lambda event: event.get("sent") == "ours")
        self.assertIsNone(sent["failure"])
        raw.await_line(lambda line: line == "after")
        until(lambda: len(raw.descriptors) == 4, lambda: raw.descriptors)
        self.assertEqual(client.getpeername()[0], "127.0.0.1")
        with socket.socket(fileno=os.dup(raw.descriptors[-1])) as arrived:
            arrived.sendall(b"through it")
            self.assertEqual(client.recv(100), b"through it")
        self.assertEqual(self.errors(raw), [])
        self.assertEqual(sum(map(self.is_ours, raw.lines())), 4)
        self.leave(raw)

    def lives_while_waiting(self, raw):
        """It hears, though what it says has to wait."""
        raw.line({"do": "connected", "id": 99})
        raw.line({"cmd": "NODE_X"})
        until(lambda: self.errors(raw), raw.other.seen)
        raw.other.events.list[:] = [event for event in raw.other.events.look() if "error" not in event]

    def test_a_handle_that_is_refused_four_times(self):
        raw = self.open()
        client = self.send_one(raw, "after")
        for turn in range(1, 5):
            raw.await_line(self.is_ours, turn)
            raw.line(NACK)
        sent = raw.other.await_event(lambda event: event.get("sent") == "ours")
        self.assertEqual(sent["failure"]["code"], "handle_lost")
        raw.await_line(lambda line: line == "after")
        self.assertEqual(sum(map(self.is_ours, raw.lines())), 4)
        self.check_errors(raw)
        raw.line(NACK)
        self.check_errors(raw, "unexpected_command")
        for fd in raw.descriptors:
            os.close(fd)
        raw.descriptors.clear()
        client.settimeout(DEADLINE)
        self.assertEqual(client.recv(1), b"", "it is closed here")
        self.leave(raw)

    def test_a_handle_that_nobody_waits_for(self):
        raw = self.open()
        with socket.create_server(("127.0.0.1", 0)) as server:
            raw.other.ask("connect", name="c", port=server.getsockname()[1])
        raw.other.do("send", message="ours", handle="c")
        for turn in range(1, 5):
            raw.await_line(self.is_ours, turn)
            raw.line(NACK)
        self.check_errors(raw, "handle_lost")
        self.leave(raw)

    def test_an_answer_too_many(self):
        raw = self.open()
        self.send_one(raw, "after")
        raw.await_line(self.is_ours)
        raw.line(ACK)
        raw.line(ACK)
        raw.line(NACK)
        raw.await_line(lambda line: line == "after")
        self.check_errors(raw, "unexpected_command", "unexpected_command")
        self.leave(raw)

    def test_an_answer_that_never_comes(self):
        raw = self.open()
        self.send_one(raw, "after")
        raw.await_line(self.is_ours)
        raw.close()
        sent = raw.other.await_event(lambda event: event.get("sent") == "ours")
        self.assertEqual(sent["failure"]["code"], "not_connected")
        raw.other.await_key("disconnect")
        raw.ends_with(0)

    def test_a_handle_is_answered_while_ours_waits(self):
        raw = self.open()
        self.send_one(raw)
        raw.await_line(self.is_ours)
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                raw.line(handle_line("crosswise"), theirs.fileno())
            raw.await_line(lambda line: line == ACK)
            raw.line(ACK)
            self.assertIsNone(raw.other.await_event(lambda event: event.get("sent") == "ours")["failure"])
        self.check_errors(raw)
        self.leave(raw)

    def test_what_is_no_such_socket_is_not_sent(self):
        raw = self.open()
        raw.other.ask("udp", name="u")
        raw.other.do("send", message="no", handle="u", tell="no", **{"as": "socket"})
        sent = raw.other.await_event(lambda event: event.get("sent") == "no")
        self.assertEqual(sent["failure"]["code"], "bad_value")
        raw.other.do("send", message={"cmd": "NODE_HANDLE_ACK"}, tell="own")
        sent = raw.other.await_event(lambda event: event.get("sent") == "own")
        self.assertEqual(sent["failure"]["code"], "bad_value")
        self.check_errors(raw)
        self.assertEqual(raw.lines(), [{"alive": 1}])
        self.leave(raw)

    # ---- the end

    def test_half_a_message_at_the_end(self):
        for half in (b'{"half":', b"x", b'{"whole":1}'):
            raw = self.open()
            self.lives(raw)
            raw.send(b'"before"\n' + half)
            raw.await_line(lambda line: line == "before")
            raw.socket.shutdown(socket.SHUT_WR)
            raw.other.await_key("disconnect")
            self.assertEqual(self.errors(raw), ["half_message"])
            self.leave(raw)

    def test_descriptors_of_a_message_that_never_ends(self):
        raw = self.open()
        self.lives(raw)
        before = self.open_descriptors(raw)
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                raw.send(json.dumps(handle_line("half")).encode(), theirs.fileno())
            until(lambda: self.open_descriptors(raw) == before + 1, "the descriptor does not arrive")
            raw.socket.shutdown(socket.SHUT_WR)
            ours.settimeout(DEADLINE)
            self.assertEqual(ours.recv(1), b"", "closed")
        raw.other.await_key("disconnect")
        self.assertEqual(self.errors(raw), ["half_message", "stray_descriptor"])
        self.leave(raw)

    def test_a_side_that_stops_writing_is_gone(self):
        raw = self.open()
        self.lives(raw)
        raw.socket.shutdown(socket.SHUT_WR)
        raw.await_end()
        raw.other.await_key("disconnect")
        raw.ends_with(0)

    def test_a_side_that_goes_without_reading(self):
        """No SIGPIPE: whoever sends to nobody lives, and is told."""
        raw = self.open(reads=False)
        raw.other.do("flood", count=scaled(20_000), size=1000)
        raw.other.await_key("flooded")
        raw.other.do("send", message="the last", tell="the last")
        self.assertTrue(raw.other.ask("connected")["connected"])  # both are queued by then
        raw.close()
        sent = raw.other.await_event(lambda event: event.get("sent") == "the last")
        self.assertEqual(sent["failure"]["code"], "not_connected")
        raw.other.await_key("disconnect")
        self.assertEqual(set(self.errors(raw)), {"not_connected"})
        raw.ends_with(0)

    def test_a_side_that_goes_while_it_is_sent_to(self):
        for _ in range(5):
            raw = self.open()
            raw.other.do("flood", count=scaled(50_000), size=100)
            until(lambda: len(raw.data) > 100_000, "nothing comes")
            raw.close()
            raw.other.await_key("disconnect")
            self.assertLessEqual(set(self.errors(raw)), {"not_connected"})
            raw.ends_with(0)

    # ---- a side that does not read

    def test_a_reader_that_sleeps(self):
        cap = 4 << 20
        raw = self.open(f"queue={cap}", reads=False)
        before = high_water_kib(raw.other.pid)
        raw.other.do("fill", size=60_000, count=10_000)
        answer = raw.other.await_key("filled")
        self.assertGreaterEqual(answer["no_room"]["queued"], 128 << 10)
        self.assertLess(answer["no_room"]["queued"], 256 << 10)
        self.assertLessEqual(answer["most"], cap)
        self.assertGreater(answer["most"], cap - 70_000)
        if MEASURES_MEMORY:
            self.assertLess(high_water_kib(raw.other.pid) - before, 4 * cap >> 10)
        self.assertEqual(raw.other.having("drain"), [])
        raw.read()
        drain = raw.other.await_key("drain")
        refused = {one["n"] for one in drain["refused"]}
        self.assertEqual({one["code"] for one in drain["refused"]}, {"queue_full"})
        accepted = [n for n in range(answer["count"]) if n not in refused]
        until(lambda: len(raw.lines()) >= len(accepted), raw.other.seen)
        lines = [line for line in raw.lines() if "pad" in line]
        self.assertEqual([line["n"] for line in lines], accepted)
        self.assertEqual({line["pad"] for line in lines}, {"x" * 60_000})
        self.check_errors(raw)
        self.leave(raw)

    def test_errors_of_a_full_queue_without_a_callback(self):
        raw = self.open("queue=100000", reads=False)
        raw.other.do("flood", count=200, size=10_000)
        raw.other.await_key("flooded")
        until(lambda: "queue_full" in self.errors(raw), raw.other.seen)
        self.assertEqual(set(self.errors(raw)), {"queue_full"})
        raw.read()
        raw.other.await_key("drain")
        self.lives(raw)
        self.leave(raw)

    def test_a_program_with_no_handler_yet_lets_the_kernel_hold_the_rest(self):
        raw = self.open("late", reads=False)
        before = high_water_kib(raw.other.pid)
        raw.socket.settimeout(1)
        line = json.dumps({"n": 0, "pad": "x" * 1000}).encode() + b"\n"
        sent = 0
        unfinished = b""
        # Until the kernel takes no more: the program has what it takes, the rest is in the socket.
        try:
            while sent < 64 << 20:
                unfinished = line
                while unfinished:
                    put = raw.socket.send(unfinished)
                    sent += put
                    unfinished = unfinished[put:]
        except TimeoutError:
            pass
        self.assertLess(sent, 4 << 20)
        if MEASURES_MEMORY:
            self.assertLess(high_water_kib(raw.other.pid) - before, 16 << 10)
        raw.socket.settimeout(None)
        raw.read()
        raw.other.ask("hear")
        raw.send(unfinished)
        self.check_errors(raw)
        self.assertEqual(len([line for line in raw.lines() if "n" in line]), (sent + len(unfinished)) // len(line))
        self.leave(raw)

    # ---- forks

    def sockets_of(self, pid):
        found = []
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                found += [fd] if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:") else []
            except FileNotFoundError:
                pass  # closed meanwhile
        return found

    def test_the_end_is_seen_though_a_fork_lives_on(self):
        for ending in ("exit", "kill", "disconnect"):
            raw = self.open()
            self.lives(raw)
            forked = raw.other.ask("fork")["pid"]
            try:
                self.lives(raw)
                raw.other.do(ending, code=0, signal=int(signal.SIGKILL))
                raw.await_end()
                with open(f"/proc/{forked}/stat", encoding="ascii") as file:
                    self.assertNotEqual(file.read().split()[2], "Z")
                until(lambda: not self.sockets_of(forked), "it keeps something of the channel")
            finally:
                os.kill(forked, signal.SIGKILL)
            raw.close()
            if isinstance(raw, RawChild):
                raw.end_child()
            raw.other.program.wait()


class FaultsOfAParent(Faults, unittest.TestCase):
    end = RawParent

    def test_variables_and_descriptors_do_not_go_on(self):
        for deka in (False, True):
            raw = self.open(deka=deka)
            text = raw.other.ask("look")["text"]
            for name in VARIABLES:
                self.assertNotRegex(text, rf"(?m)^{name}=")
            self.assertNotIn("socket:", text)
            self.assertNotIn("anon_inode", text)
            self.leave(raw)

    def test_its_own_children_get_their_own_channel_only(self):
        """Two at a time: neither has the other's end."""
        raw = self.open()
        raw.other.ask("spawn", program="/bin/sleep", args=["1000"])
        pid = raw.other.ask("spawn", program="/bin/sleep", args=["1000"])["pid"]

        def links():
            try:
                return {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
            except FileNotFoundError:  # it is loading its libraries
                return {}

        until(lambda: set(links()) == {"0", "1", "2", "3"}, lambda: str(links()))
        self.assertTrue(links()["3"].startswith("socket:"))
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = {entry.split(b"=")[0].decode(): entry.split(b"=")[1] for entry in file.read().split(b"\0") if b"=" in entry}
        self.assertEqual({name: variables[name] for name in VARIABLES if name in variables},
                         {"NODE_CHANNEL_FD": b"3", "NODE_CHANNEL_SERIALIZATION_MODE": b"json"})
        os.killpg(raw.other.pid, signal.SIGKILL)
        raw.other.program.wait()


class FaultsOfAParentInALoop(FaultsOfAParent):
    def open(self, *options, **how):
        return super().open("loop", *options, **how)


class FaultsOfAChild(Faults, unittest.TestCase):
    end = RawChild

    def test_what_the_child_is_started_with(self):
        raw = self.open()
        self.assertEqual(raw.started_with["environment"], {"NODE_CHANNEL_FD": "3", "NODE_CHANNEL_SERIALIZATION_MODE": "json"})
        descriptors = raw.started_with["descriptors"]
        self.assertEqual(set(descriptors), {"0", "1", "2", "3"}, descriptors)
        self.assertTrue(descriptors["3"].startswith("socket:"))
        self.leave(raw)

    def test_what_the_child_said_before_it_ended(self):
        """The end of the process ends the channel, though somebody else still holds it."""
        for word, status in (("exit 5", {"code": 5, "signal": 0}), ("signal 9", {"code": 0, "signal": 9}), ("signal 15", {"code": 0, "signal": 15})):
            raw = self.open(reads=False)
            raw.other.ask("echo", on=False)
            raw.other.ask("expect", count=1000)
            for n in range(1000):
                raw.line({"n": n})
            raw.end_child(word)
            self.assertEqual(raw.other.await_key("exit"), status | {"known": True})
            self.assertEqual([key for event in raw.other.events.look() for key in event if key in ("got_all", "disconnect", "exit", "error")],
                             ["got_all", "disconnect", "exit"])
            raw.other.finish()

    def test_a_program_that_is_not_there(self):
        for program in ("/nowhere/at/all", "no-such-program-anywhere", "/dev/null"):
            talker = Talker(self, "t_channel", "parent", program, env=channel_environment())
            event = talker.await_key("open")
            self.assertEqual(event["code"], "system")
            self.assertIn(program, event["reason"])
            talker.finish(3)


class FaultsOfAChildInALoop(FaultsOfAChild):
    def open(self, *options, **how):
        return super().open("loop", *options, **how)


class BadEnvironment(unittest.TestCase):
    def opened(self, *passed, **variables):
        environment = {k: v for k, v in channel_environment().items() if k not in VARIABLES} | variables
        talker = Talker(self, "t_channel", "child", env=environment, pass_fds=passed)
        event = talker.await_event(lambda e: "open" in e, talker.child)
        talker.finish(3)
        self.assertEqual(event.get("variable"), "NODE_CHANNEL_FD" in variables, "what could not be used stays")
        return event["open"]

    def check(self, code, *words, passed=(), **variables):
        error = self.opened(*passed, **variables)
        self.assertEqual(error["code"], code, error)
        for word in words:
            self.assertIn(word, error["reason"])

    def test_nothing(self):
        self.check("no_channel", "NODE_CHANNEL_FD", "DEKA_IPC_ENABLED")
        self.check("no_channel", DEKA_IPC_FD="3")
        self.check("no_channel", DEKA_IPC_ENABLED="0", DEKA_IPC_FD="3")

    def test_another_serialization(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for mode in ("advanced", "", "JSON"):
                self.check("bad_environment", f"NODE_CHANNEL_SERIALIZATION_MODE={mode}", passed=[theirs.fileno()],
                           NODE_CHANNEL_FD=str(theirs.fileno()), NODE_CHANNEL_SERIALIZATION_MODE=mode)

    def test_what_is_no_number(self):
        for text in ("", "x", "-1", "3x", " 3", "99999999999999999999", "4294967299", "3.0"):
            self.check("bad_environment", f"NODE_CHANNEL_FD={text}", NODE_CHANNEL_FD=text)
        self.check("bad_environment", "DEKA_IPC_FD=x", DEKA_IPC_ENABLED="1", DEKA_IPC_FD="x")
        self.check("bad_environment", "DEKA_IPC_FD", DEKA_IPC_ENABLED="1")

    def test_a_descriptor_that_is_closed(self):
        self.check("bad_environment", "99", "Bad file descriptor", NODE_CHANNEL_FD="99")
        self.check("bad_environment", "99", "Bad file descriptor", DEKA_IPC_ENABLED="1", DEKA_IPC_FD="99")

    def test_a_descriptor_that_is_no_such_socket(self):
        read, write = os.pipe()
        with tempfile.TemporaryFile() as file, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram, socket.create_server(
                ("127.0.0.1", 0)) as server, os.fdopen(read), os.fdopen(write, "w"), socket.create_connection(
                    server.getsockname()) as connected, socket.socket(socket.AF_UNIX) as alone:
            for descriptor in (file.fileno(), datagram.fileno(), server.fileno(), read, write, connected.fileno(), alone.fileno()):
                for variables in ({"NODE_CHANNEL_FD": str(descriptor)}, {"DEKA_IPC_ENABLED": "1", "DEKA_IPC_FD": str(descriptor)}):
                    self.check("bad_environment", str(descriptor), passed=[descriptor], **variables)


if __name__ == "__main__":
    main()
