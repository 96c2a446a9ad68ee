"""What a child sends: exactly the seed's frames, over one connection, to a parent that says nothing."""
import datetime
import socket
import struct
import unittest

from kernel import listening_ports
from seed import Client, Listener, create_frame, finish_frame, log_frame, push_frame, read_frames
from support import LEVELS, Console, Program, clean_environment, main, run, scaled
from terminal import Terminal


class GoldenBytes(unittest.TestCase):
    """Guards the tests themselves: the client below writes what was captured from the original."""

    def test_frames_of_the_original(self):
        self.assertEqual(log_frame("burst 0").hex(" "), "00 00 00 29 00 02 00 00 00 07 62 75 72 73 74 20 30 00 00 00 18 "
                         "32 30 32 36 2d 31 31 2d 32 31 54 30 34 3a 31 36 3a 34 30 2e 37 32 37 5a")
        self.assertEqual(create_frame(0x18e9f45ba012396e, "x", 1).hex(), "0000001601" "18e9f45ba012396e" "00000001" "78" "0000000000000001")
        self.assertEqual(finish_frame(0x18e9f45ba012396e).hex(), "0000000903" "18e9f45ba012396e")


class ChildOfABareParent(unittest.TestCase):
    def child(self, listener, *script, code=0, program="t_do", **variables):
        """Runs a child to its end; returns its frames. Its own stdout and stderr must stay empty."""
        child = run(self, program, *script, env=clean_environment(DLOG_PIPE=listener.address, **variables), code=code)
        self.assertEqual((child.out.bytes(), child.err.bytes()), (b"", b""))
        return read_frames(self, listener.all(self))

    def test_records_byte_for_byte(self):
        listener = Listener(self)
        before = datetime.datetime.now(datetime.timezone.utc)
        frames = self.child(listener, "info burst 0", "text error braces {} stay", "fatal snow \u2603\nand more", "info ")
        after = datetime.datetime.now(datetime.timezone.utc)
        self.assertEqual([f[:3] for f in frames], [("log", 2, "burst 0"), ("log", 4, "braces {} stay"), ("log", 5, "snow \u2603\nand more"),
                                                   ("log", 2, "")])
        sent = b"".join(log_frame(message, level, stamp) for _, level, message, stamp in frames)
        self.assertEqual(bytes(listener.connections[0]), sent)
        slack = datetime.timedelta(milliseconds=2)
        for *_, stamp in frames:
            time = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
            self.assertTrue(before - slack <= time <= after + slack, stamp)

    def test_levels_by_number(self):
        frames = self.child(Listener(self), "trace a", "debug a", "info a", "warn a", "error a", "fatal a")
        self.assertEqual([f[1] for f in frames], list(range(len(LEVELS))))

    def test_the_childs_own_level(self):
        frames = self.child(Listener(self), "trace a", "debug a", "info a", "warn a", DLOG_LEVEL="info")
        self.assertEqual([f[1] for f in frames], [2, 3])

    def test_time_is_utc_everywhere(self):
        frames = self.child(Listener(self), "info a", TZ="Asia/Kathmandu")
        time = datetime.datetime.strptime(frames[0][3], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
        self.assertLess(abs(datetime.datetime.now(datetime.timezone.utc) - time), datetime.timedelta(minutes=5))

    def test_console_settings_do_not_reach_the_wire(self):
        frames = self.child(Listener(self), "info a", DLOG_FORMAT="json", DLOG_SIMPLE="true", DLOG_NAME="other", NO_COLOR="1")
        self.assertEqual([f[:3] for f in frames], [("log", 2, "a")])

    def test_a_bar_byte_for_byte(self):
        listener = Listener(self)
        frames = self.child(listener, "bar a 200 Reading", "push a 50", "sleep 300", "push a 120", "sleep 300", "push a 200", "done a")
        self.assertEqual(frames[0][0], "create")
        bar = frames[0][1]
        self.assertEqual(frames[0], ("create", bar, "Reading", 200))
        self.assertEqual(frames[-1], ("finish", bar))
        pushes = frames[1:-1]
        self.assertEqual({(f[0], f[1]) for f in pushes}, {("push", bar)})
        values = [f[2] for f in pushes]
        self.assertEqual(values, sorted(set(values)), "absolute values, on change only")
        self.assertEqual(values[-1], 200)
        sent = create_frame(bar, "Reading", 200) + b"".join(push_frame(bar, v) for v in values) + finish_frame(bar)
        self.assertEqual(bytes(listener.connections[0]), sent)

    def test_a_failed_bar_says_so_in_a_record(self):
        frames = self.child(Listener(self), "bar a 200 Reading", "push a 5", "fail a no disk")
        self.assertEqual([f[0] for f in frames if f[0] in ("create", "finish")], ["create", "finish"])
        self.assertTrue(any(f[0] == "log" and "no disk" in f[2] for f in frames), frames)

    def test_bars_have_ids_of_their_own(self):
        frames = self.child(Listener(self), "bar a 5 One", "bar b 5 Two", "done b", "done a")
        created = {f[2]: f[1] for f in frames if f[0] == "create"}
        self.assertEqual(len(set(created.values())), 2)
        self.assertEqual([f[1] for f in frames if f[0] == "finish"], [created["Two"], created["One"]])

    def test_a_bar_between_records_keeps_its_place(self):
        frames = self.child(Listener(self), "info before", "bar a 5 Reading", "info amid", "push a 5", "done a", "info after")
        shape = [f[2] if f[0] == "log" else f[0] for f in frames if f[0] != "push"]
        self.assertEqual(shape, ["before", "create", "amid", "finish", "after"])

    def test_no_bars_where_they_are_off(self):
        frames = self.child(Listener(self), "bar a 5 Reading", "info kept", "done a", DLOG_NO_PROGRESS="true")
        self.assertIn(("log", 2, "kept"), [f[:3] for f in frames])

    def test_a_parent_that_reads_byte_by_byte(self):
        for options in ({"piece": 1}, {"piece": 7}, {"piece": 4096, "receive_buffer": 4096}):
            count = scaled(300)
            frames = self.child(Listener(self, **options), f"many {count} slow")
            self.assertEqual([f[2] for f in frames], [f"rec slow/0 {i} {'x' * (i % 97)}|" for i in range(count)])

    def test_long_messages_are_cut_at_one_mebibyte(self):
        listener = Listener(self, piece=5000, receive_buffer=8192)
        frames = self.child(listener, "big 1048576 a", "big 3000000 b", "info after")
        self.assertEqual(frames[0][2], "a" * 1048576)
        self.assertTrue(frames[1][2].startswith("b" * 1_000_000))
        self.assertLessEqual(len(frames[1][2].rstrip().rstrip("b")), len(frames[1][2]))
        self.assertLess(len(frames[1][2]), 1048576 + 200)
        self.assertTrue(frames[1][2].strip("b"), "the cut is told")
        self.assertEqual(frames[2][2], "after")

    def test_threads_share_the_one_connection(self):
        count = scaled(2000)
        frames = self.child(Listener(self), "4", str(count), "t", program="t_log_many")
        following = [0] * 4
        for frame in frames:
            thread, number = int(frame[2].split("/")[1][0]), int(frame[2].split()[2])
            self.assertEqual(number, following[thread])
            following[thread] += 1
        self.assertEqual(following, [count] * 4)

    def test_a_child_never_listens_and_names_its_own_parent(self):
        listener = Listener(self)
        child = Program(self, "t_do", "info a", "address", "role", "getenv DLOG_PIPE", "wait", "info b",
                        env=clean_environment(DLOG_PIPE=listener.address))
        child.out.wait("^waiting$")
        self.assertEqual(listening_ports(child.pid), [])
        child.go()
        self.assertEqual(child.wait(), 0)
        self.assertEqual(child.out.text(), f"address {listener.address}\nrole child\ngetenv DLOG_PIPE={listener.address}\nwaiting\n")
        self.assertEqual(child.err.bytes(), b"")
        self.assertEqual([f[2] for f in read_frames(self, listener.all(self))], ["a", "b"])

    def test_a_child_on_a_terminal_keeps_off_it(self):
        listener = Listener(self)
        child = run(self, "t_do", "info a", "bar a 5 Reading", "push a 3", "sleep 400", "done a", terminal=Terminal(),
                    env=clean_environment(DLOG_PIPE=listener.address))
        self.assertEqual(child.err.bytes(), b"")
        listener.all(self)

    def test_flush_is_told_to_the_caller_only(self):
        listener = Listener(self)
        child = run(self, "t_do", "info a", "flush", "finish", "info b", env=clean_environment(DLOG_PIPE=listener.address))
        self.assertEqual(child.out.text(), "flush true lost=0\n")
        self.assertEqual([f[2] for f in read_frames(self, listener.all(self))], ["a", "b"])

    def test_a_child_that_says_nothing_sends_nothing(self):
        listener = Listener(self)
        run(self, "t_do", "set_level info", "role", "debug hidden", env=clean_environment(DLOG_PIPE=listener.address))
        for data in listener.connections:
            self.assertEqual(bytes(data), b"")

    def test_a_parent_that_goes_away_does_not_kill_its_child(self):
        for reset in (False, True):
            with socket.create_server(("127.0.0.1", 0)) as server:
                child = Program(self, "t_do", "info a", "flush", "wait", "many 2000 late", "say done",
                                env=clean_environment(DLOG_PIPE=f"127.0.0.1:{server.getsockname()[1]}"))
                peer, _ = server.accept()
                child.out.wait("^waiting$")
                if reset:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()
            child.go()
            child.out.wait("^done$")
            self.assertEqual(child.wait(), 0)


class ChildOfOurs(unittest.TestCase):
    def test_its_records_appear_and_its_own_console_stays_empty(self):
        console = Console(self)
        child = run(self, "t_do", "info hello from below", "role", env=clean_environment(DLOG_PIPE=console.address))
        self.assertEqual((child.out.text(), child.err.text()), ("role child\n", ""))
        console.err.wait("hello from below")
        self.assertRegex(console.close(), r" INF child\[\d+\]: hello from below\n")

    def test_two_connections_of_the_seed_beside_it(self):
        console = Console(self)
        clients = [Client(self, console.port) for _ in range(2)]
        run(self, "t_do", "info ours", env=clean_environment(DLOG_PIPE=console.address))
        for i, client in enumerate(clients):
            client.send(log_frame(f"seed {i}"))
        for word in ("ours", "seed 0", "seed 1"):
            console.err.wait(word)
        console.close()


if __name__ == "__main__":
    main()
