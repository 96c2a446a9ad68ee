"""A C++ program and a real Node, each as the other's parent, over Node's own channel: messages, open sockets, endings."""
# ctest: timeout=300
import json
import os
import resource
import signal
import socket
import unittest

from channel_peers import NODE, VARIABLES, Fifo, Pair, ask_tcp, ask_udp, exchange, high_water_kib, needs_node
from support import DEADLINE, main, sanitizer, scaled, until

VALUES = [
    None, True, False, 0, -1, 7, 2 ** 31, -2 ** 31 - 1, 2 ** 53, -2 ** 53, 2 ** 53 - 1, 0.5, -0.1, 1e-300, 1.7976931348623157e308, 5e-324, 1e21,
    "", "text", "line\nbreak \r\t\b\f \" \\ /", "\0 in the midst \0", "\u00e9 \u4e2d \U0001f600 \U0010ffff \u2028\u2029 \ufeff \ud7ff \x7f\x1f",
    [], {}, [[]], [{}], {"": {}}, [None, [True, [False, [[]]]]], {"a": None, "b": [1, 2.5, "x", {"c": []}], "\u00fc\0": {"d": {"e": -3}}},
    {"cmd": "NODE"}, {"cmd": "NODE_"}, {"cmd": 7}, {"cmd": "other"}, {"msg": {"cmd": "x"}, "type": "net.Socket"}, [{"cmd": "NODE_HANDLE_ACK"}],
    {"x": {"cmd": "NODE_HANDLE"}}, {"__proto__x": 1, "constructor": 2, "toString": None}, list(range(1000)),
]


def deep(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


class Conversation:
    """What holds whoever of the two is the parent."""

    parent = child = ""

    def pair(self, **options):
        return Pair(self, self.parent, self.child, **options)

    def end(self, pair):
        """The parent disconnects; both see it, and the child ends by itself."""
        pair.do("disconnect")
        self.assertEqual(pair.await_key("exit")["code"], 0)
        pair.finish()
        self.check_quiet(pair)
        self.assertEqual((pair.having("disconnect"), pair.having("disconnect", pair.child)), ([True], [True]))

    def check_quiet(self, pair):
        """Nothing went wrong on either side."""
        for events in (pair.events, pair.child):
            for key in ("error", "disorder", "warning"):
                self.assertEqual(pair.having(key, events), [], pair.seen())
        self.assertEqual(pair.child.strange, [])

    # ---- messages

    def test_every_kind_of_value_comes_back_as_it_was(self):
        pair = self.pair()
        for value in VALUES + [deep(63)]:
            pair.do("send", message=value)
        pair.await_event(lambda event: "message" in event, count=len(VALUES) + 1)
        came = pair.having("message")
        for sent, got in zip(VALUES + [deep(63)], came):
            self.assertEqual(json.dumps(got, sort_keys=True), json.dumps(sent, sort_keys=True))
        self.end(pair)

    def test_numbers_without_a_fraction_stay_whole(self):
        pair = self.pair()
        self.assertEqual(repr(pair.echo([1.0, 100.0, -0.0, 1e15])).replace("-", ""), repr([1, 100, 0, 10 ** 15]) if "node" in (
            self.parent, self.child) else repr([1.0, 100.0, 0.0, 1e15]))
        self.end(pair)

    def test_messages_of_one_mebibyte(self):
        pair = self.pair()
        texts = [chr(0x61 + i) * ((1 << 20) - 8) + f"-{i} \u00e9" for i in range(6)]
        for text in texts:
            pair.do("send", message=text)
        pair.await_event(lambda event: "message" in event, count=len(texts))
        self.assertTrue(pair.having("message") == texts)
        self.end(pair)

    def test_a_hundred_thousand_each_way_at_once(self):
        count = scaled(100_000)
        pair = self.pair()
        pair.ask_child("expect", count=count)
        pair.ask("expect", count=count)
        pair.do_child("flood", count=count)
        pair.do("flood", count=count)
        self.assertEqual(pair.await_key("got_all"), count)
        self.assertEqual(pair.await_key("got_all", pair.child), count)
        self.end(pair)

    def test_large_ones_each_way_at_once(self):
        count = scaled(100)
        pair = self.pair()
        pair.ask_child("expect", count=count)
        pair.ask("expect", count=count)
        pair.do_child("flood", count=count, size=100_000)
        pair.do("flood", count=count, size=100_000)
        pair.await_key("got_all")
        pair.await_key("got_all", pair.child)
        self.end(pair)

    # ---- endings

    def test_the_parent_disconnects(self):
        pair = self.pair()
        self.assertEqual(pair.echo("once"), "once")
        self.end(pair)

    def test_the_child_disconnects(self):
        pair = self.pair()
        pair.do_child("disconnect")
        pair.await_key("disconnect")
        pair.await_key("disconnect", pair.child)
        self.assertEqual(pair.await_key("exit")["code"], 0)
        pair.finish()
        self.check_quiet(pair)

    def test_sending_after_the_end_is_told(self):
        pair = self.pair()
        pair.do_all({"do": "disconnect"}, {"do": "send", "message": "late", "tell": "late"})
        sent = pair.await_event(lambda event: event.get("sent") == "late")
        self.assertEqual(sent["failure"]["code"], "ERR_IPC_CHANNEL_CLOSED" if self.parent == "node" else "not_connected")
        pair.finish()

    def test_what_was_sent_before_disconnecting_arrives(self):
        count = scaled(5000)
        pair = self.pair()
        pair.ask_child("expect", count=count)
        pair.do("flood", count=count, size=100)
        pair.do("disconnect")
        pair.await_key("got_all", pair.child)
        pair.await_key("disconnect", pair.child)
        pair.finish()
        self.check_quiet(pair)

    def test_exit_codes(self):
        for code in (0, 1, 42, 255):
            pair = self.pair()
            pair.do_child("exit", code=code)
            self.assertEqual(pair.await_key("exit")["code"], code)
            pair.await_key("disconnect")
            pair.finish()
            self.check_quiet(pair)

    def test_a_child_killed_by_a_signal(self):
        for number in (signal.SIGKILL, signal.SIGTERM):
            for word, ask in (("kill", "do_child"), ("kill_child", "ask")):
                pair = self.pair()
                self.assertEqual(pair.echo("it lives"), "it lives")
                getattr(pair, ask)(word, signal=int(number))
                status = pair.await_key("exit")
                self.assertEqual(status["signal"], number.name if self.parent == "node" else int(number))
                pair.await_key("disconnect")
                pair.finish()

    def test_a_thousand_messages_and_then_the_end(self):
        pair = self.pair()
        pair.ask("expect", count=1000)
        pair.do_child("flood", count=1000)
        pair.do_child("exit", code=7)
        pair.await_key("got_all")
        self.assertEqual(pair.await_key("exit")["code"], 7)
        order = [next(iter(event)) for event in pair.events.look()]
        self.assertLess(order.index("got_all"), order.index("disconnect"), "the messages come first")
        if self.parent != "node":  # Node tells the two in any order
            self.assertLess(order.index("disconnect"), order.index("exit"))
        pair.finish()
        self.check_quiet(pair)

    # ---- open sockets

    def name(self, role):
        return f"{getattr(self, role).split('-')[0]} {role} "

    def both_ways(self):
        """The side that sends, as (how to ask it, the name of the one that gets it, what the latter says)."""
        pair = self.pair()
        yield pair, pair.ask, pair.do, self.name("child"), pair.child
        yield pair, pair.ask_child, pair.do_child, self.name("parent"), pair.events
        self.end_with_sockets(pair)

    def end_with_sockets(self, pair, quiet=True):
        """The open ones would keep a Node from ending."""
        pair.do_child("exit", code=0)
        self.assertEqual(pair.await_key("exit")["code"], 0)
        if quiet:
            self.check_quiet(pair)
        if self.parent == "node":
            pair.program.process.terminate()
            pair.program.wait()
        else:
            pair.finish()

    def test_a_server_is_served_by_the_one_it_was_sent_to(self):
        for pair, ask, do, name, events in self.both_ways():
            port = ask("listen", name="s")["port"]
            do("send", message={"a": "server"}, handle="s")
            event = pair.await_event(lambda e: "handle" in e, events)
            self.assertEqual(event, {"handle": "server", "message": {"a": "server"}})
            if self.sender_is_node(name):
                ask("close", name="s")  # Node keeps on listening at its own
            for text in ("one", "two", "x" * 10_000):
                self.assertEqual(ask_tcp(port, text), name + text)

    def sender_is_node(self, receiver):
        return (self.child if "parent" in receiver else self.parent) == "node"

    def test_a_connected_socket(self):
        for pair, ask, do, name, events in self.both_ways():
            with socket.create_server(("127.0.0.1", 0)) as server:
                ask("connect", name="c", port=server.getsockname()[1])
                client, _ = server.accept()
            do("send", message=["a", "socket"], handle="c", tell="socket")
            event = pair.await_event(lambda e: "handle" in e, events)
            self.assertEqual(event, {"handle": "socket", "message": ["a", "socket"]})
            sender_events = pair.child if events is pair.events else pair.events
            sent = pair.await_event(lambda e: e.get("sent") == "socket", sender_events)
            self.assertIsNone(sent["failure"])
            self.assertEqual(ask_tcp(0, "hello", client), name + "hello")

    def test_a_datagram_socket(self):
        for pair, ask, do, name, events in self.both_ways():
            port = ask("udp", name="u")["port"]
            do("send", message="datagrams", handle="u")
            event = pair.await_event(lambda e: "handle" in e, events)
            self.assertEqual(event, {"handle": "datagram", "message": "datagrams"})
            self.assertEqual(ask_udp(port, "ping"), name + "ping")

    def test_many_sockets_in_order_with_messages_between(self):
        count = scaled(200)
        for pair, ask, _, name, events in self.both_ways():
            other_ask = pair.ask_child if events is pair.child else pair.ask
            other_ask("expect", count=2 * count)
            port = ask("listen", name="p", **{"as": "pass"})["port"]
            clients = [socket.create_connection(("127.0.0.1", port), DEADLINE) for _ in range(count)]
            pair.await_key("got_all", events)
            for number, client in enumerate(clients):
                self.assertEqual(ask_tcp(0, f"client {number}", client), f"{name}client {number}")

    def test_a_bare_handle(self):
        for pair, ask, do, name, events in self.both_ways():
            if self.sender_is_node(name):
                continue
            with socket.create_server(("127.0.0.1", 0)) as server:
                ask("connect", name="c", port=server.getsockname()[1])
                client, _ = server.accept()
            do("send", message="bare", handle="c", **{"as": "native"})
            event = pair.await_event(lambda e: "handle" in e, events)
            self.assertEqual(event, {"handle": "native", "message": "bare"})
            client.close()


class WithNode(Conversation):
    """The same, and what shows only where one of the two is a Node and the other one is not: `ask` and `do` are for the Node, `cpp` is what
    the other one says."""

    def sides(self, **options):
        pair = self.pair(**options)
        if self.parent == "node":
            return pair, pair.ask, pair.do, pair.ask_child, pair.child
        return pair, pair.ask_child, pair.do_child, pair.ask, pair.events

    def node_events(self, pair):
        return pair.events if self.parent == "node" else pair.child

    def check_node(self, pair):
        """It lives, and has nothing to say."""
        self.assertEqual(pair.echo("both live"), "both live")
        for key in ("error", "warning"):
            self.assertEqual(pair.having(key, self.node_events(pair)), [], pair.seen())
        self.assertEqual(pair.child.strange, [])

    def test_undefined_is_refused_and_null_is_not(self):
        pair, ask, *_ = self.sides()
        self.assertEqual(ask("send_undefined").get("code"), "ERR_MISSING_ARGS")
        self.assertIsNone(pair.echo(None))
        self.end(pair)

    # ---- a server of Node's that counts its connections at the other side

    def test_connections_are_counted_until_they_are_closed_there(self):
        pair, ask, _, ask_cpp, cpp = self.sides()
        ask_cpp("expect", count=10)
        port = ask("listen", name="p", **{"as": "pass"})["port"]
        clients = [socket.create_connection(("127.0.0.1", port), DEADLINE) for _ in range(5)]
        pair.await_key("got_all", cpp)
        self.assertEqual(ask("connections", name="p"), {"count": 5, "error": None, "id": pair.ids})
        for client in clients[:2]:
            client.close()
        until(lambda: ask("connections", name="p")["count"] == 3, pair.seen)
        ask("close", name="p")
        self.assertEqual(pair.echo("still open"), "still open")
        self.assertEqual(pair.having("closed", self.node_events(pair)), [])
        for client in clients[2:4]:
            client.close()
        self.assertEqual(exchange(clients[4], "one is left"), self.name("child" if self.parent == "node" else "parent") + "one is left")
        self.assertEqual(pair.having("closed", self.node_events(pair)), [])
        clients[4].close()
        self.assertEqual(pair.await_key("closed", self.node_events(pair)), "p")
        self.check_node(pair)
        self.end(pair)

    def test_a_server_whose_connections_are_closed_already_closes_at_once(self):
        pair, ask, _, ask_cpp, cpp = self.sides()
        for turn in range(3):
            ask_cpp("expect", count=6)
            name = f"p{turn}"
            port = ask("listen", name=name, **{"as": "pass"})["port"]
            clients = [socket.create_connection(("127.0.0.1", port), DEADLINE) for _ in range(3)]
            pair.await_key("got_all", cpp, count=turn + 1)
            for client in clients:
                client.close()
            until(lambda: ask("connections", name=name)["count"] == 0, pair.seen)
            ask("close", name=name)
            pair.await_event(lambda event: event.get("closed") == name, self.node_events(pair))
        self.check_node(pair)
        self.end(pair)

    def test_a_server_closes_when_the_side_that_has_its_connections_ends(self):
        pair, ask, do, ask_cpp, cpp = self.sides()
        if self.parent != "node":
            self.skipTest("a Node whose parent has ended ends itself")
        ask_cpp("expect", count=2)
        port = ask("listen", name="p", **{"as": "pass"})["port"]
        with socket.create_connection(("127.0.0.1", port), DEADLINE):
            pair.await_key("got_all", cpp)
            ask("close", name="p")
            pair.do_child("exit")
            self.assertEqual(pair.await_key("closed"), "p")
        pair.finish()

    # ---- handles that do not arrive

    def connected(self, ask):
        """A socket "c" of that side's, and its other end."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            ask("connect", name="c", port=server.getsockname()[1])
            client, _ = server.accept()
        self.addCleanup(client.close)
        return client

    def losses(self, pair, cpp):
        errors = pair.having("error", cpp)
        self.assertEqual({error["code"] for error in errors} - {"handle_lost"}, set(), errors)
        return sum("without" in error["reason"] for error in errors)

    def test_what_node_sends_again_arrives_once(self):
        for losses in (1, 2, 3):
            pair, ask, do, ask_cpp, cpp = self.sides()
            client = self.connected(ask)
            ask_cpp("limit", losses=losses)
            do("send", message={"lost": losses}, handle="c")
            do("send", message={"after": losses})
            event = pair.await_event(lambda e: "handle" in e, cpp)
            self.assertEqual(event, {"handle": "socket", "message": {"lost": losses}})
            self.assertEqual(exchange(client, "here"), self.name("child" if self.parent == "node" else "parent") + "here")
            # A child says it back, a parent that it has heard it: both in their parent's events.
            pair.await_event(lambda e: e.get("message") == {"after": losses})
            self.check_node(pair)
            self.assertEqual(self.losses(pair, cpp), losses)
            self.assertEqual(len(pair.having("handle", cpp)), 1)
            self.end_with_sockets(pair, quiet=False)

    def test_a_connection_that_was_sent_again_is_counted_once(self):
        pair, ask, do, ask_cpp, cpp = self.sides()
        ask_cpp("expect", count=4)
        port = ask("listen", name="p", **{"as": "pass"})["port"]
        ask_cpp("limit", losses=2)
        clients = [socket.create_connection(("127.0.0.1", port), DEADLINE) for _ in range(2)]
        pair.await_key("got_all", cpp)
        self.assertEqual(ask("connections", name="p")["count"], 2)
        ask("close", name="p")
        for client in clients:
            self.assertEqual(pair.having("closed", self.node_events(pair)), [])
            client.close()
            self.assertEqual(pair.echo("both live"), "both live")
        self.assertEqual(pair.await_key("closed", self.node_events(pair)), "p")
        self.assertEqual(self.losses(pair, cpp), 2)
        self.check_node(pair)
        self.end_with_sockets(pair, quiet=False)

    def test_what_never_arrives_is_given_up_and_the_next_does(self):
        pair, ask, do, ask_cpp, cpp = self.sides()
        self.connected(ask)
        ask_cpp("limit")
        do("send", message="lost", handle="c")
        self.assertEqual(pair.await_key("warning", self.node_events(pair)), "SentHandleNotReceivedWarning")
        self.assertEqual(pair.echo("between"), "between")
        ask_cpp("unlimit")
        client = self.connected(ask)
        do("send", message="found", handle="c")
        event = pair.await_event(lambda e: "handle" in e, cpp)
        self.assertEqual(event, {"handle": "socket", "message": "found"})
        self.assertEqual(exchange(client, "here"), self.name("child" if self.parent == "node" else "parent") + "here")
        self.assertEqual(self.losses(pair, cpp), 4)
        self.end_with_sockets(pair, quiet=False)

    def test_node_does_not_send_a_server_again(self):
        pair, ask, do, ask_cpp, cpp = self.sides()
        ask("listen", name="s")
        ask_cpp("limit")
        do("send", message="lost", handle="s", keepOpen=True)
        do("send", message="after it")
        until(lambda: self.losses(pair, cpp) == 1, pair.seen)
        ask_cpp("unlimit")
        pair.await_event(lambda e: e.get("message") == "after it")
        self.check_node(pair)
        do("send", message="found", handle="s")
        event = pair.await_event(lambda e: "handle" in e, cpp)
        self.assertEqual(event, {"handle": "server", "message": "found"})
        self.end_with_sockets(pair, quiet=False)

    def test_what_node_cannot_take_is_sent_again_and_told(self):
        pair, ask, do, ask_cpp, cpp = self.sides()
        node_pid = pair.pid if self.parent == "node" else pair.ask("pid")["pid"]
        do_cpp = pair.do if cpp is pair.events else pair.do_child
        self.assertEqual(pair.echo("up"), "up")
        client = self.connected(ask_cpp)
        open_there = sorted(int(fd) for fd in os.listdir(f"/proc/{node_pid}/fd"))
        lowest = next(fd for fd in range(1 << 16) if fd not in open_there)
        before = resource.prlimit(node_pid, resource.RLIMIT_NOFILE, (lowest, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        do_cpp("send", message="lost", handle="c", tell="lost")
        sent = pair.await_event(lambda event: event.get("sent") == "lost", cpp)
        self.assertEqual(sent["failure"]["code"], "handle_lost")
        resource.prlimit(node_pid, resource.RLIMIT_NOFILE, before)
        self.assertEqual(client.recv(1), b"", "what was given up is closed")
        client = self.connected(ask_cpp)
        do_cpp("send", message="found", handle="c", tell="found")
        sent = pair.await_event(lambda event: event.get("sent") == "found", cpp)
        self.assertIsNone(sent["failure"])
        event = pair.await_event(lambda e: "handle" in e, self.node_events(pair))
        self.assertEqual(event, {"handle": "socket", "message": "found"})
        self.check_node(pair)
        client.close()
        self.end_with_sockets(pair, quiet=False)

    # ---- a side that does not read for a while

    def test_a_node_that_sleeps(self):
        cap = 4 << 20
        pair = Pair(self, self.parent, self.child, *(() if self.child == "node" else (f"queue={cap}",)),
                    parent_options=() if self.parent == "node" else (f"queue={cap}",))
        node = self.node_events(pair)
        cpp = pair.events if node is pair.child else pair.child
        cpp_pid = pair.ask("pid")["pid"] if cpp is pair.child else pair.pid
        fifo = Fifo(self)
        if self.parent == "node":
            pair.do_child("fill", size=60_000, count=10_000)
            pair.do("block", path=fifo.path)
        else:
            pair.ask_child("echo", on=False)
            pair.do_child("block", path=fifo.path)
            pair.do("fill", size=60_000, count=10_000)
        before = high_water_kib(cpp_pid)
        pair.await_key("blocks", node)
        answer = self.await_fill(pair, cpp)
        self.assertGreaterEqual(answer["no_room"]["queued"], 128 << 10)
        self.assertLess(answer["no_room"]["queued"], 256 << 10)
        self.assertLessEqual(answer["most"], cap)
        self.assertGreater(answer["most"], cap - 70_000)
        if not sanitizer("t_channel"):
            self.assertLess(high_water_kib(cpp_pid) - before, 4 * cap >> 10)
        fifo.release()
        drain = pair.await_key("drain", cpp)
        refused = {one["n"] for one in drain["refused"]}
        self.assertEqual({one["code"] for one in drain["refused"]}, {"queue_full"})
        accepted = [n for n in range(answer["count"]) if n not in refused]
        came = [message["n"] for message in self.filled(pair, node, len(accepted))]
        self.assertEqual(came, accepted)
        self.check_quiet(pair)
        self.end(pair)

    def await_fill(self, pair, cpp):
        return pair.await_event(lambda event: "filled" in event, cpp)["filled"]

    def filled(self, pair, node, count):
        def is_one(event):
            return isinstance(event.get("message"), dict) and "pad" in event["message"]

        pair.await_event(is_one, node, count)
        return [event["message"] for event in node.look() if is_one(event)]

    def test_a_cpp_program_that_sleeps_lets_the_kernel_hold_the_rest(self):
        count = 200
        pair, ask, do, ask_cpp, cpp = self.sides()
        do_cpp = pair.do if cpp is pair.events else pair.do_child
        cpp_pid = pair.ask("pid")["pid"] if cpp is pair.child else pair.pid
        ask_cpp("expect", count=count)
        before = high_water_kib(cpp_pid)
        fifo = Fifo(self)
        if cpp is pair.child:
            do_cpp("block", path=fifo.path)
        else:
            do("send", message={"do": "block", "path": fifo.path})
        pair.await_key("blocks", cpp)
        do("flood", count=count, size=100_000)
        pair.await_key("flooded", self.node_events(pair))
        if not sanitizer("t_channel"):
            self.assertLess(high_water_kib(cpp_pid) - before, 8 << 10, "20 megabytes were sent")
        fifo.release()
        self.assertEqual(pair.await_key("got_all", cpp), count)
        self.check_quiet(pair)
        self.end(pair)

    # ---- what goes on to others

    def test_the_end_is_seen_though_a_fork_lives_on(self):
        for ending in ("exit", "kill"):
            pair, ask, do, ask_cpp, cpp = self.sides()
            do_cpp = pair.do if cpp is pair.events else pair.do_child
            self.assertEqual(pair.echo("up"), "up")
            forked = ask_cpp("fork")["pid"]
            try:
                do_cpp(ending, code=0, signal=int(signal.SIGKILL))
                pair.await_key("disconnect", self.node_events(pair))
                self.assertTrue(os.path.exists(f"/proc/{forked}"))
                with open(f"/proc/{forked}/stat", encoding="ascii") as file:
                    self.assertNotEqual(file.read().split()[2], "Z")
            finally:
                os.kill(forked, signal.SIGKILL)
            pair.program.wait()


@needs_node
class OtherProcesses(unittest.TestCase):
    def test_the_childs_own_children_find_nothing(self):
        for child in ("cpp", "cpp-loop"):
            pair = Pair(self, "node", child)
            text = pair.ask_child("look")["text"]
            for name in VARIABLES:
                self.assertNotRegex(text, rf"(?m)^{name}=")
            self.assertNotIn("socket:", text, "the channel")
            pair.do("disconnect")
            pair.finish()

    def test_another_serialization_is_told(self):
        pair = Pair(self, "node", "cpp", parent_options=["advanced"])
        event = pair.await_event(lambda e: "open" in e, pair.child)
        self.assertEqual((event["open"]["code"], event["variable"]), ("bad_environment", True))
        self.assertIn("NODE_CHANNEL_SERIALIZATION_MODE=advanced", event["open"]["reason"])
        self.assertEqual(pair.await_key("exit")["code"], 3)
        pair.finish()

    def test_a_parent_that_is_killed(self):
        for parent, child in (("node", "cpp"), ("cpp", "node"), ("cpp", "cpp")):
            pair = Pair(self, parent, child)
            self.assertEqual(pair.echo("up"), "up")
            pair.do_child("flood", count=100_000, size=100)
            os.kill(pair.pid, signal.SIGKILL)
            pair.await_key("disconnect", pair.child)
            pair.program.wait()  # the child has ended as well: its output is at its end

    def test_a_child_that_is_killed_in_the_midst(self):
        for parent, child in (("node", "cpp"), ("cpp", "node"), ("cpp", "cpp")):
            pair = Pair(self, parent, child)
            pid = pair.ask("pid")["pid"]
            pair.ask("expect", count=10_000_000)
            pair.do_child("flood", count=200_000, size=100)
            pair.do("flood", count=10_000, size=100)
            os.kill(pid, signal.SIGKILL)
            self.assertIn(pair.await_key("exit")["signal"], ("SIGKILL", 9))
            pair.await_key("disconnect")
            self.assertEqual(pair.having("disorder"), [])
            pair.finish()


@needs_node
class NodeParentCppChild(WithNode, unittest.TestCase):
    parent, child = "node", "cpp"


@needs_node
class CppParentNodeChild(WithNode, unittest.TestCase):
    parent, child = "cpp", "node"


@needs_node
class NodeParentCppChildInALoop(WithNode, unittest.TestCase):
    parent, child = "node", "cpp-loop"


@needs_node
class CppParentInALoopNodeChild(WithNode, unittest.TestCase):
    parent, child = "cpp-loop", "node"


class CppParentCppChild(Conversation, unittest.TestCase):
    parent, child = "cpp", "cpp"


@unittest.skipUnless(NODE and os.environ.get("DLOG_TEST_FULL") == "1", "the tests themselves, against Node alone: with DLOG_TEST_FULL=1")
class NodeParentNodeChild(Conversation, unittest.TestCase):
    parent, child = "node", "node"

    def name(self, role):
        return f"node {role} "


if __name__ == "__main__":
    main()
