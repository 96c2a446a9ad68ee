"""The dialect of the Deka runtime, which the test plays from its description: every message in an envelope, and variables of its own."""
import json
import socket
import unittest

from channel_peers import RawChild, RawParent, exchange
from support import main, scaled, until

VALUES = [None, True, 0, -1, 2 ** 53, 0.5, "text \u4e2d \U0001f600 \0", [], {}, [None, {"a": [1]}], {"cmd": "NODE_X"}, {"cmd": "NODE_HANDLE_ACK"},
          {"cmd": "NODE_HANDLE", "msg": 1}, {"msg": 2}]


def envelope(message):
    return {"cmd": "NODE_HANDLE", "msg": message}


class Deka:
    def raw_lines(self, raw):
        return bytes(raw.data).split(b"\n")[:-1]

    def leave(self, raw):
        raw.close()
        raw.other.await_key("disconnect")
        self.assertEqual(raw.other.having("error"), [])
        raw.ends_with(0)

    def test_every_message_is_in_the_envelope_both_ways(self):
        raw = self.open()
        for value in VALUES:
            raw.line(envelope(value))
        until(lambda: len(raw.lines()) == len(VALUES), raw.lines)
        self.assertEqual(json.dumps(raw.lines(), sort_keys=True), json.dumps([envelope(value) for value in VALUES], sort_keys=True))
        self.leave(raw)

    def test_the_bytes_of_a_line(self):
        raw = self.open()
        raw.line(envelope({"b": [1, None], "a": "\u00e9"}))
        until(lambda: self.raw_lines(raw), "no line")
        self.assertEqual(self.raw_lines(raw), ['{"cmd":"NODE_HANDLE","msg":{"a":"\u00e9","b":[1,null]}}'.encode()])
        self.leave(raw)

    def test_nodes_lines_are_heard_and_answered_in_the_envelope(self):
        raw = self.open()
        for value in ({"bare": 1}, "text", 7, None):
            raw.line(value)
        raw.line(envelope("in one"))
        raw.line({"msg": "other order", "cmd": "NODE_HANDLE"})
        raw.line({"cmd": "NODE_HANDLE", "msg": "type null", "type": None})
        until(lambda: len(raw.lines()) == 7, raw.lines)
        self.assertEqual(raw.lines(), [envelope(value) for value in ({"bare": 1}, "text", 7, None, "in one", "other order", "type null")])
        self.leave(raw)

    def test_many_each_way(self):
        count = scaled(20_000)
        raw = self.open()
        raw.other.ask("expect", count=count)
        raw.other.do("flood", count=count)
        raw.send(b"".join(json.dumps(envelope({"n": n})).encode() + b"\n" for n in range(count)))
        raw.other.await_key("got_all")
        until(lambda: raw.data.count(b"\n") >= count, "they do not come")
        self.assertEqual(raw.lines(), [envelope({"n": n}) for n in range(count)])
        self.leave(raw)

    def test_a_megabyte(self):
        raw = self.open()
        for _ in range(3):
            raw.line(envelope("m" * (1 << 20)))
        until(lambda: raw.data.count(b"\n") == 3, "they do not come")
        self.assertTrue(raw.lines() == [envelope("m" * (1 << 20))] * 3)
        self.leave(raw)

    def test_handles_both_ways(self):
        raw = self.open()
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                raw.line({"cmd": "NODE_HANDLE", "type": "net.Socket", "msg": {"take": "it"}}, theirs.fileno())
            raw.await_line(lambda line: line == {"cmd": "NODE_HANDLE_ACK"})
            self.assertEqual(raw.other.await_event(lambda e: "handle" in e), {"handle": "socket", "message": {"take": "it"}})
            self.assertIn("hello", exchange(ours, "hello"))
        port = raw.other.ask("listen", name="s")["port"]
        raw.other.do("send", message="a server", handle="s", tell="s")
        raw.await_line(lambda line: line == {"cmd": "NODE_HANDLE", "type": "net.Server", "msg": "a server"})
        until(lambda: raw.descriptors, "no descriptor")
        raw.line({"cmd": "NODE_HANDLE_ACK"})
        self.assertIsNone(raw.other.await_event(lambda event: event.get("sent") == "s")["failure"])
        with socket.socket(fileno=raw.descriptors.pop()) as server, socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            with accepted:
                accepted.sendall(b"from the new owner")
                self.assertEqual(client.recv(100), b"from the new owner")
        self.leave(raw)

    def test_what_the_other_side_disconnects(self):
        raw = self.open()
        raw.other.do("flood", count=100)
        raw.other.do("disconnect")
        raw.await_end()
        raw.other.await_key("disconnect")
        self.assertEqual(raw.lines(), [envelope({"n": n}) for n in range(100)])
        raw.ends_with(0)


class ADekaParent(Deka, unittest.TestCase):
    def open(self):
        return RawParent(self, deka=True)

    def test_by_its_variables(self):
        raw = self.open()
        text = raw.other.ask("look")["text"]
        self.assertNotIn("DEKA_IPC", text)
        self.assertNotIn("socket:", text)
        self.leave(raw)

    def test_the_envelope_in_nodes_dialect(self):
        raw = RawParent(self)
        raw.line(envelope({"deep": 1}))
        raw.await_line(lambda line: line == {"deep": 1})
        self.leave(raw)


class ADekaChild(Deka, unittest.TestCase):
    def open(self):
        return RawChild(self, "deka")

    def test_what_it_is_started_with(self):
        raw = self.open()
        self.assertEqual(raw.started_with["environment"], {"DEKA_IPC_ENABLED": "1", "DEKA_IPC_FD": "3"})
        self.assertEqual(set(raw.started_with["descriptors"]), {"0", "1", "2", "3"})
        self.leave(raw)

    def test_the_envelope_in_nodes_dialect(self):
        raw = RawChild(self)
        raw.line(envelope({"deep": 1}))
        raw.await_line(lambda line: line == {"deep": 1})
        self.leave(raw)


if __name__ == "__main__":
    main()
