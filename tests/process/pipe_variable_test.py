"""DLOG_PIPE and the other settings of a family: stale, malformed and unreachable addresses, and who listens and who joins."""
import os
import socket
import struct
import unittest

from kernel import listening_ports
from seed import Client, Listener, closed_port, log_frame, read_frames
from support import Console, Program, clean_environment, main, messages, notices, plain_lines, run
from terminal import control_bytes

SCENE = ("info one", "warn two", "many 50 own", "fatal three")


class AddressesThatLeadNowhere(unittest.TestCase):
    def own_console(self, value, notice_wanted=True):
        """The process is its own console, complete, and says why in one debug line."""
        program = run(self, "t_do", *SCENE, "role", env=clean_environment(DLOG_PIPE=value))
        self.assertEqual(control_bytes(program.err.bytes()), [], value)
        lines = plain_lines(self, program.err.text())
        expected = ["one", "two", *[f"rec own/0 {i} {'x' * (i % 97)}|" for i in range(50)], "three"]
        self.assertEqual(messages(lines), expected, value)
        self.assertEqual(program.out.text(), "role aggregator\n", value)
        told = [line for line in lines if line.name == "dlog"]
        if not notice_wanted and not told:
            return
        self.assertEqual([(line.level, line.pid) for line in told], [("DBG", program.pid)], (value, told))
        if value.isprintable():
            self.assertIn(value.strip()[:20], told[0].message)

    def test_a_closed_port(self):
        self.own_console(f"127.0.0.1:{closed_port(self)}")

    def test_an_empty_variable(self):
        self.own_console("", notice_wanted=False)

    def test_what_is_no_address(self):
        for value in ("127.0.0.1", "127.0.0.1:", ":4000", "4000", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1:-1",
                      "127.0.0.1:+80", "127.0.0.1:12x", "127.0.0.1:1:2", "127.0.0.1:18446744073709551697", "127.0.0.1;4000", "127.0.0:80",
                      "127.0.0.1.1:80", "256.0.0.1:80", "nonsense", "unix:/tmp/socket", "%s%n:80", " ", ":", "x" * 5000, "127.0.0.1:" + "1" * 5000,
                      "\x1b[2J\x1b]0;PWNED\x07", "127.0.0.1:80\n2026-01-01 00:00:00.000 INF bank[1]: paid", "\u202e127.0.0.1:80"):
            self.own_console(value)

    def test_the_reason_is_said_at_debug_level_only(self):
        program = run(self, "t_do", "info one", env=clean_environment(DLOG_PIPE="nonsense", DLOG_LEVEL="info"))
        self.assertEqual([line.message for line in plain_lines(self, program.err.text())], ["one"])

    def test_bytes_that_are_not_utf8(self):
        program = run(self, "t_do", *SCENE, env={**clean_environment(), "DLOG_PIPE": os.fsdecode(b"\xff\xfe:80")})
        self.assertEqual(len(notices(plain_lines(self, program.err.text()), "DBG")), 1)

    def test_other_machines_are_never_asked(self):
        for value in ("8.8.8.8:53", "10.255.255.1:4000", "192.0.2.1:4000", "255.255.255.255:80", "example.com:80"):
            self.own_console(value)

    def test_spellings_that_would_lead_to_a_listener(self):
        listener = Listener(self)
        port = listener.address.split(":")[1]
        for value in (f"localhost:{port}", f"0.0.0.0:{port}", f" 127.0.0.1:{port}", f"127.0.0.1:{port} ", f"127.0.0.1: {port}", f"127.0.0.1:{port}/",
                      f"127.0.0.1:{int(port) + 65536}", f"0:{port}", f"127.0.0.1:{port}\t", f"127.0.0.1:{port}\n"):
            self.own_console(value)
        self.assertEqual(listener.connections, [])

    def test_a_listener_that_never_answers(self):
        server = socket.socket()
        self.addCleanup(server.close)
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # Fills the queue of connections; whoever comes next gets no answer at all.
        for _ in range(4):
            waiting = socket.socket()
            self.addCleanup(waiting.close)
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        self.own_console(f"127.0.0.1:{server.getsockname()[1]}")

    def test_a_stale_value_is_replaced(self):
        for stale in (f"127.0.0.1:{closed_port(self)}", "nonsense"):
            program = run(self, "t_do", "info one", "address", "getenv DLOG_PIPE", env=clean_environment(DLOG_PIPE=stale))
            address = program.answer("address")
            self.assertRegex(address, r"^127\.0\.0\.1:\d+$")
            self.assertNotEqual(address, stale)
            self.assertIn(f"getenv DLOG_PIPE={address}\n", program.out.text())

    def test_a_program_that_execs_itself(self):
        program = run(self, "t_do", "info first", "flush", "exec info second")
        self.assertEqual(messages(plain_lines(self, program.err.text())), ["first", "second"])

    def test_a_parent_that_closes_at_once_does_not_hold_its_child(self):
        for reset in (False, True):
            with socket.create_server(("127.0.0.1", 0)) as server:
                child = Program(self, "t_do", "many 1000 early", "say done", env=clean_environment(DLOG_PIPE=f"127.0.0.1:{server.getsockname()[1]}"))
                peer, _ = server.accept()
                if reset:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()
                self.assertEqual(child.wait(), 0)
                self.assertEqual(child.out.text(), "done\n")

    def test_a_parent_that_never_reads_does_not_hold_its_child(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            child = Program(self, "t_do", "many 50000 stuck", "say done",
                            env=clean_environment(DLOG_PIPE=f"127.0.0.1:{server.getsockname()[1]}", DLOG_OVERFLOW="drop", DLOG_QUEUE_BYTES="65536"))
            peer, _ = server.accept()
            self.assertEqual(child.wait(), 0)
            peer.close()


class WhoListens(unittest.TestCase):
    def test_the_variable_is_set_when_the_first_call_returns(self):
        for first in ("info one", "init", "role", "set_level info", "bar a 5 Bar", "address", "childenv"):
            program = run(self, "t_do", "getenv DLOG_PIPE", first, "getenv DLOG_PIPE", "address")
            said = [line for line in program.out.text().split("\n") if line.startswith("getenv")]
            self.assertEqual(said, ["getenv DLOG_PIPE=(unset)", f"getenv DLOG_PIPE={program.out.text().rsplit('address ', 1)[1].strip()}"], first)

    def test_the_listener_is_on_this_machine_only(self):
        console = Console(self)
        self.assertEqual(listening_ports(console.pid), [console.port])
        with open(f"/proc/{console.pid}/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file if f":{console.port:04X} 00000000:0000 0A" in line]
        self.assertEqual([row[1] for row in rows], [f"0100007F:{console.port:04X}"])
        console.close()

    def test_a_first_call_that_is_filtered_out(self):
        console = Console(self, "trace hidden", env=clean_environment(DLOG_LEVEL="fatal"))
        self.assertEqual(listening_ports(console.pid), [console.port])
        self.assertEqual(console.close(), "")

    def test_no_listener(self):
        for script, variables in ((["init listen=false"], {}), (["init listen=true"], {"DLOG_LISTEN": "false"}), ([], {"DLOG_LISTEN": "false"})):
            program = Program(self, "t_do", *script, "info one", "getenv DLOG_PIPE", "childenv", "address", "wait",
                              env=clean_environment(**variables))
            program.out.wait("^waiting$")
            self.assertEqual(listening_ports(program.pid), [])
            self.assertIn("getenv DLOG_PIPE=(unset)\n", program.out.text())
            self.assertIn("address \n", program.out.text())
            self.assertNotIn("childenv DLOG_PIPE", program.out.text())
            self.assertEqual(program.wait(), 0)
            self.assertEqual(messages(plain_lines(self, program.err.text())), ["one"])

    def test_a_listener_that_is_not_advertised(self):
        for script, variables in ((["init set_environment=false"], {}), (["init"], {"DLOG_SET_ENVIRONMENT": "false"})):
            console = Console(self, *script, "info one", "getenv DLOG_PIPE", "childenv", env=clean_environment(**variables))
            self.assertIn("getenv DLOG_PIPE=(unset)\n", console.out.text())
            self.assertIn(f"childenv DLOG_PIPE={console.address}\n", console.out.text())
            child = Client(self, console.port)
            child.send(log_frame("from a child"))
            console.err.wait("from a child")
            console.close()

    def test_the_environment_wins_over_the_program(self):
        console = Console(self, "init listen=false set_environment=false", env=clean_environment(DLOG_LISTEN="true", DLOG_SET_ENVIRONMENT="true"))
        self.assertEqual(listening_ports(console.pid), [console.port])
        console.close()


class WhoJoins(unittest.TestCase):
    def test_a_process_that_does_not_join(self):
        for script, variables in ((["init join_parent=false"], {}), (["init"], {"DLOG_JOIN_PARENT": "false"}),
                                  (["init join_parent=true"], {"DLOG_JOIN_PARENT": "false"})):
            listener = Listener(self)
            program = run(self, "t_do", *script, "info alone", "role", "getenv DLOG_PIPE", "address",
                          env=clean_environment(DLOG_PIPE=listener.address, **variables))
            self.assertEqual(messages(plain_lines(self, program.err.text())), ["alone"])
            self.assertIn("role aggregator\n", program.out.text())
            self.assertIn(f"getenv DLOG_PIPE={program.answer('address')}\n", program.out.text())
            self.assertEqual(listener.connections, [])

    def test_the_environment_makes_it_join(self):
        listener = Listener(self)
        program = run(self, "t_do", "init join_parent=false", "info together", "role",
                      env=clean_environment(DLOG_PIPE=listener.address, DLOG_JOIN_PARENT="true"))
        self.assertIn("role child\n", program.out.text())
        self.assertEqual(program.err.bytes(), b"")
        self.assertEqual([f[2] for f in read_frames(self, listener.all(self))], ["together"])


if __name__ == "__main__":
    main()
