"""What a parent takes: odd, broken and hostile byte streams, while a well-behaved child beside them loses nothing."""
import os
import re
import struct
import time
import unittest

import kernel
from seed import (FRAME_BYTES_MAX, STAMP, Client, create_frame, finish_frame, frame, log_frame, push_frame, sized)
from support import LEVELS, Console, check_numbered, clean_environment, main, messages, notices, plain_lines, sanitizer, until
from terminal import control_bytes


class Parent(unittest.TestCase):
    """Each test has a parent and a good child; at the end the parent is alive and the good child is complete."""

    def setUp(self):
        self.console = Console(self)
        self.good = Client(self, self.console.port)
        self.good.numbered("good", 20)

    def client(self):
        return Client(self, self.console.port)

    def end(self):
        """Ends the parent; returns its records but those of the good child."""
        self.assertTrue(self.console.alive())
        self.good.numbered("good", 20)
        self.console.err.wait(f"rec good/0 {self.good.number - 1} ")
        self.assertTrue(self.good.silent(), "a parent never speaks to a seed child, and keeps its connection")
        self.good.close()
        text = self.console.close()
        check_numbered(self, "\n".join(line for line in text.split("\n") if "rec good" in line), {"good/0": self.good.number})
        return [line for line in plain_lines(self, text) if not line.message.startswith("rec good")]

    def show(self, client, word="still here"):
        """The connection still works: a record over it appears."""
        self.assertTrue(client.send(log_frame(word)))
        self.console.err.wait(word)

    def refused(self, client):
        """The connection is closed by the parent; exactly one warning names the peer. Returns the parent's other records."""
        self.assertTrue(client.closed_by_parent(), "the connection stays open")
        self.console.err.wait(rf"WRN dlog\[\d+\]: .*\b{client.port}\b")
        lines = self.end()
        told = [line for line in notices(lines) if re.search(rf"\b{client.port}\b", line.message)]
        self.assertEqual(len(told), 1, lines)
        self.assertEqual(len(notices(lines)), 1, lines)
        return lines


class KeptRecords(Parent):
    def test_any_timestamp(self):
        client = self.client()
        odd = ["yesterday", "", "2026-13-45T99:99:99.999Z", "1970", "2026-11-21 04:16:40", "Z" * 200, "2026-11-21T04:16:40.727+05:45x"]
        for i, stamp in enumerate(odd):
            client.send(log_frame(f"odd time {i}.", stamp=stamp))
        self.show(client)
        lines = self.end()
        for i, stamp in enumerate(odd):
            (line,) = [line for line in lines if f"odd time {i}." in line.message]
            self.assertIn(stamp[:60], f"{line.stamp} {line.message}")
        self.assertEqual(notices(lines), [])

    def test_timestamps_that_parse_are_the_records_time(self):
        client = self.client()
        for stamp, shown in (("1970-01-01T00:00:00.000Z", "1970-01-01 00:00:00.000"), ("2099-12-31T23:59:59.999Z", "2099-12-31 23:59:59.999"),
                             ("2024-02-29T12:00:00.500Z", "2024-02-29 12:00:00.500")):
            client.send(log_frame(f"at {shown}", stamp=stamp))
        self.show(client)
        for line in self.end():
            if line.message.startswith("at "):
                self.assertEqual(line.message, "at " + line.stamp)

    def test_a_level_above_the_last(self):
        client = self.client()
        for level in (6, 9, 255):
            client.send(log_frame(f"level {level}.", level=level))
        client.send(log_frame("level 5.", level=5))
        self.show(client)
        lines = self.end()
        for level in (6, 9, 255):
            (line,) = [line for line in lines if f"level {level}." in line.message]
            self.assertNotIn(line.level, LEVELS, "such a record is marked")
            self.assertIn(str(level), line.level)
        self.assertIn("level 5.", [line.message for line in lines])

    def test_text_that_is_not_utf8(self):
        client = self.client()
        client.send(log_frame(b"caf\xe9 \xff\xfe \xc0\xaf \xed\xa0\x80 end"))
        client.send(create_frame(1, b"bar \xff", 5) + finish_frame(1))
        self.show(client)
        lines = self.end()
        (line,) = [line for line in lines if "caf" in line.message]
        self.assertTrue(line.message.startswith("caf") and "end" in line.message)
        self.assertNotEqual(line.message, "caf  end")
        self.console.err.bytes().decode("utf-8")  # strict: what is shown is UTF-8

    def test_unknown_frames_are_skipped_and_told_once(self):
        client, other = self.client(), self.client()
        for kind in (4, 0x16, 0x20, 0x7f, 0xff):
            client.send(frame(bytes([kind]) + b"\x00\x02secret" * 20))
        client.send(frame(b"\x04"))
        client.send(frame(b"\x05" + b"z" * 300_000))
        self.show(client)
        other.send(frame(b"\x09junk"))
        self.show(other, "so is the other")
        lines = self.end()
        self.assertEqual(messages(lines), ["still here", "so is the other"])
        for peer in (client, other):
            self.assertEqual(len([n for n in notices(lines) if str(peer.port) in n.message]), 1, lines)

    def test_trailing_bytes_are_ignored(self):
        client = self.client()
        client.send(frame(b"\x00\x02" + sized("with a tail") + sized(STAMP) + b"\x00\x01\x02tail"))
        client.send(frame(b"\x01" + struct.pack(">Q", 1) + sized("Barred") + struct.pack(">Q", 5) + b"more"))
        client.send(frame(b"\x02" + struct.pack(">QQ", 1, 5) + b"more") + frame(b"\x03" + struct.pack(">Q", 1) + b"more"))
        self.show(client)
        lines = self.end()
        self.assertEqual(notices(lines), [])
        self.assertIn("with a tail", messages(lines))
        self.assertFalse([line for line in lines if "more" in line.message])

    def test_bars_that_nobody_created(self):
        client, other = self.client(), self.client()
        for bar in (1, 2, 3):
            client.send(push_frame(bar, 5) + finish_frame(bar))
        self.show(client)
        other.send(finish_frame(1))
        self.show(other, "so is the other")
        lines = self.end()
        for peer in (client, other):
            self.assertEqual(len([n for n in notices(lines) if str(peer.port) in n.message]), 1, lines)

    def test_an_empty_message_and_an_empty_frame(self):
        client = self.client()
        client.send(log_frame(""))
        client.send(struct.pack(">I", 0))
        client.send(log_frame("behind the empty frame"))
        until(lambda: "behind the empty frame" in self.console.err.text() or client.closed_by_parent(), "an answer to an empty frame")
        lines = self.end()
        (line,) = [line for line in lines if line.name == "child" and line.message == ""]
        self.assertEqual((line.level, line.pid), ("INF", client.port))
        self.assertLessEqual(len(notices(lines)), 1, "an empty frame is a fault, if at all, that is told once")

    def test_a_message_of_nearly_a_frame(self):
        client = self.client()
        client.send(log_frame("m" * 9_900_000))
        client.send(log_frame("n" * (1 << 20)))
        self.show(client)
        lines = self.end()
        (long,) = [line for line in lines if line.message.startswith("mmm")]
        whole = long.message + "".join(long.more)
        self.assertGreaterEqual(len(whole), 1_000_000)
        self.assertLess(len(whole), (1 << 20) + 1000)
        self.assertTrue(whole.strip("m"), "the cut is told")
        self.assertIn("n" * (1 << 20), messages(lines))


class RefusedConnections(Parent):
    def broken(self, data, before=b""):
        client = self.client()
        client.send(before + data)
        return client

    def test_payloads_that_are_cut(self):
        cut = {
            "log of one byte": frame(b"\x00"),
            "log without lengths": frame(b"\x00\x02"),
            "log with half a length": frame(b"\x00\x02\x00\x00"),
            "log without its time": frame(b"\x00\x02" + sized("text")),
            "create without its total": frame(b"\x01" + struct.pack(">Q", 1) + sized("text")),
            "create with half an id": frame(b"\x01\x00\x00"),
            "push without its value": frame(b"\x02" + struct.pack(">Q", 1)),
            "finish of seven bytes": frame(b"\x03" + b"\x00" * 7),
        }
        clients = {}
        for what, data in cut.items():
            clients[what] = self.broken(data, before=log_frame(f"before: {what}"))
        for what, client in clients.items():
            self.assertTrue(client.closed_by_parent(), what)
            self.console.err.wait(rf"WRN dlog\[\d+\]: .*\b{client.port}\b")
        lines = self.end()
        for what, client in clients.items():
            self.assertEqual(len([n for n in notices(lines) if re.search(rf"\b{client.port}\b", n.message)]), 1, what)
            self.assertIn(f"before: {what}", messages(lines), "what came before the fault is kept")

    def test_inner_lengths_past_the_payload(self):
        for size in (6, 0x7fffffff, 0xffffffff, 0xfffffffb):
            # The smallest reaches into the time's own length only: what is left of that is a length that is too long.
            client = self.broken(frame(b"\x00\x02" + struct.pack(">I", size) + b"text" + sized(STAMP)))
            self.assertTrue(client.closed_by_parent(), hex(size))
        client = self.broken(frame(b"\x00\x02" + sized("text") + struct.pack(">I", 0xffffffff) + b"x"))
        self.assertTrue(client.closed_by_parent())
        client = self.broken(frame(b"\x01" + struct.pack(">QI", 1, 0xffffffff) + b"x" * 20))
        self.assertTrue(client.closed_by_parent())
        lines = self.end()
        self.assertEqual(len(notices(lines)), 6, lines)

    def test_a_frame_over_the_limit_is_not_allocated(self):
        for length in (FRAME_BYTES_MAX + 1, 0x7fffffff, 0xffffffff):
            peak = kernel.status(self.console.pid, "VmHWM")
            client = self.broken(struct.pack(">I", length) + b"\x00\x02")
            self.assertTrue(client.closed_by_parent(), hex(length))
            self.console.err.wait(rf"WRN dlog\[\d+\]: .*\b{client.port}\b")
            self.assertLess(kernel.status(self.console.pid, "VmHWM") - peak, 4096, "KiB")
        self.assertEqual(len(notices(self.end())), 3)

    def test_a_frame_over_the_limit_says_which_peer(self):
        self.refused(self.broken(struct.pack(">I", FRAME_BYTES_MAX + 1), before=log_frame("kept")))

    def test_another_protocol(self):
        for data in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            client = self.broken(data)
            client.send(b"\x00" * 64)
            # The first four bytes of each of these are a length over the limit.
            self.assertTrue(client.closed_by_parent(), data[:10])
        lines = self.end()
        self.assertEqual(len(notices(lines)), 3, lines)
        self.assertEqual(control_bytes(self.console.err.bytes()), [])


class Streams(Parent):
    def test_one_byte_at_a_time(self):
        client = self.client()
        data = create_frame(1, "Slowly", 10) + push_frame(1, 10) + log_frame("byte by byte") + finish_frame(1) + log_frame("and after")
        for i in range(len(data)):
            client.send(data[i:i + 1])
            if i % 16 == 0:
                time.sleep(0.001)  # lets the parent read what is there, so that it meets every kind of cut
        self.console.err.wait("and after")
        lines = self.end()
        self.assertEqual([m for m in messages(lines) if "byte" in m or "after" in m], ["byte by byte", "and after"])
        self.assertEqual(notices(lines), [])

    def test_many_frames_in_one_piece(self):
        client = self.client()
        client.send(b"".join(log_frame(f"piece {i}") for i in range(5000)))
        client.close()
        self.console.err.wait("piece 4999$")
        self.assertEqual([m for m in messages(self.end()) if m.startswith("piece")], [f"piece {i}" for i in range(5000)])

    def test_half_frames_and_then_the_end(self):
        whole = log_frame("never whole")
        for cut in (1, 3, 4, 5, 9, len(whole) - 1):
            client = self.client()
            client.send(log_frame(f"before {cut}") + whole[:cut])
            client.close()
            self.console.err.wait(f"before {cut}$")
        lines = self.end()
        self.assertFalse([line for line in lines if "never" in line.message and line.name != "dlog"])

    def test_half_frames_for_ever_are_bounded(self):
        before = kernel.status(self.console.pid, "VmRSS")
        waiting = [self.client() for _ in range(20)]
        for client in waiting:
            client.send(struct.pack(">I", FRAME_BYTES_MAX) + b"\x00\x02")  # promises ten megabytes and sends two bytes
        client = self.client()
        self.show(client)
        grown = kernel.status(self.console.pid, "VmRSS") - before
        self.assertLess(grown, 20 * 1024 * (4 if sanitizer() else 1), "KiB: what is promised is not allocated")
        self.end()

    def test_connections_that_come_and_go(self):
        def open_descriptors():
            return len(os.listdir(f"/proc/{self.console.pid}/fd"))

        self.console.err.wait("rec good/0 19 ")  # the good child is connected, and counts among the descriptors
        before = open_descriptors()
        for i in range(100):
            client = self.client()
            if i % 2:
                client.send(log_frame(f"visit {i}"))
            client.close()
        self.console.err.wait("visit 99$")
        until(lambda: open_descriptors() <= before, "every connection's descriptor closed again")
        lines = self.end()
        self.assertEqual(sorted(m for m in messages(lines) if m.startswith("visit")), sorted(f"visit {i}" for i in range(1, 100, 2)))

    def test_a_silent_connection_does_not_hold_the_parent_at_its_end(self):
        silent, half = self.client(), self.client()
        half.send(log_frame("half")[:10])
        self.end()
        self.assertTrue(silent.closed_by_parent())


class Bars(Parent):
    def of(self, lines, description):
        return [line.message for line in lines if description in line.message]

    def test_one_id_on_two_connections_is_two_bars(self):
        one, two = self.client(), self.client()
        one.send(create_frame(7, "Alpha", 10))
        two.send(create_frame(7, "Beta", 1000))
        one.send(push_frame(7, 10) + finish_frame(7))
        self.show(one, "one is through")
        two.send(push_frame(7, 1000) + finish_frame(7))
        self.show(two, "two is through")
        lines = self.end()
        self.assertEqual(notices(lines), [])
        for description, total, other in (("Alpha", "10", "Beta"), ("Beta", "1000", "Alpha")):
            last = self.of(lines, description)[-1]
            self.assertIn(total, last.replace(",", ""))
            self.assertNotIn(other, last)

    def test_a_connection_that_ends_leaves_orphans(self):
        client = self.client()
        client.send(create_frame(1, "Gamma", 10) + push_frame(1, 4) + create_frame(2, "Delta", 20) + create_frame(3, "Done", 5) + finish_frame(3))
        self.show(client)
        client.close()
        self.console.err.wait("Gamma.*orphaned")
        self.console.err.wait("Delta.*orphaned")
        lines = self.end()
        for description, count in (("Gamma", 1), ("Delta", 1), ("Done", 0)):
            self.assertEqual(len([m for m in self.of(lines, description) if "orphaned" in m]), count, lines)

    def test_odd_numbers(self):
        client = self.client()
        most = (1 << 64) - 1
        client.send(create_frame(0, "Zero", 0) + push_frame(0, most) + finish_frame(0))
        client.send(create_frame(most, "Most", most) + push_frame(most, most) + push_frame(most, 0) + finish_frame(most))
        client.send(create_frame(5, "Past", 10) + push_frame(5, 1000) + finish_frame(5))
        client.send(create_frame(6, "Again", 10) + create_frame(6, "Again", 10) + finish_frame(6))
        client.send(create_frame(8, "", 10) + finish_frame(8))
        client.send(create_frame(9, "L" * 100_000, 10) + finish_frame(9))
        self.show(client)
        lines = self.end()
        for description in ("Zero", "Most", "Past", "Again", "LLL"):
            self.assertTrue(self.of(lines, description), description)

    def test_a_flood_of_bars_is_bounded(self):
        before = kernel.status(self.console.pid, "VmRSS")
        client = self.client()
        for first in range(0, 100_000, 1000):
            if not client.send(b"".join(create_frame(i, f"flood {i}", 10) for i in range(first, first + 1000))):
                break
        client.close()
        self.good.numbered("good", 1)
        self.console.err.wait(f"rec good/0 {self.good.number - 1} ", deadline=120)
        grown = kernel.status(self.console.pid, "VmRSS") - before
        self.assertLess(grown, 64 * 1024 * (4 if sanitizer() else 1), "KiB")
        self.end()


class Limited(unittest.TestCase):
    def test_a_child_that_says_too_much_a_second(self):
        console = Console(self, env=clean_environment(DLOG_CHILD_RECORDS_PER_SECOND="100"))
        child = Client(self, console.port)
        child.send(b"".join(log_frame(f"m{i}.") for i in range(300)))
        console.err.wait(r"child\[\d+\]: 200 records dropped: more than 100 a second")
        child.close()
        lines = plain_lines(self, console.close())
        self.assertEqual([line.message for line in lines if line.name == "child"], [f"m{i}." for i in range(100)])


if __name__ == "__main__":
    main()
