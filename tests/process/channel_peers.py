"""What the channel tests share: pairs of a parent and a child that talk, and ends of a channel that are played by the test itself."""
import contextlib
import json
import os
import select
import shutil
import socket
import sys
import tempfile
import threading
import time
import unittest

from support import DEADLINE, Program, binary, clean_environment, until

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = "/usr/bin/node" if os.path.exists("/usr/bin/node") else shutil.which("node")
PEER_JS = os.path.join(HERE, "node", "peer.js")
STUB = os.path.join(HERE, "channel_stub.py")
VARIABLES = ("NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "DEKA_IPC_ENABLED", "DEKA_IPC_FD")
needs_node = unittest.skipUnless(NODE, "node is not installed")


def channel_environment(**variables):
    return clean_environment(**dict.fromkeys(VARIABLES), **variables)


class Events:
    """The lines of JSON that a program has written so far; other lines are kept apart."""

    def __init__(self, collector):
        self.collector = collector
        self.offset = 0
        self.rest = b""
        self.list = []
        self.strange = []

    def look(self):
        piece = self.collector.since(self.offset)
        self.offset += len(piece)
        *lines, self.rest = (self.rest + piece).split(b"\n") if piece else (self.rest,)
        for line in lines:
            try:
                self.list.append(json.loads(line))
            except ValueError:
                self.strange.append(line)
        return self.list


class Talker:
    """A t_channel, or a peer.js, that is told what to do by lines of its stdin. `events` is what it said, `child` what a child of its."""

    def __init__(self, case, *command, **options):
        self.case = case
        self.program = Program(case, *command, **options)
        self.pid = self.program.pid
        self.events = Events(self.program.out)
        self.child = Events(self.program.err)
        self.ids = 0

    def do_all(self, *commands):
        lines = "".join(json.dumps(command) + "\n" for command in commands)
        self.program.process.stdin.write(lines.encode())
        self.program.process.stdin.flush()

    def do(self, name, /, **fields):
        self.do_all({"do": name} | fields)

    def await_event(self, accepts, events=None, count=1):
        """The last of the first `count` events that `accepts`; more may have been before."""
        events = self.events if events is None else events

        def found():
            # First whether it lives: what it said before it ended is there then.
            alive = self.program.alive()
            matches = [event for event in events.look() if accepts(event)]
            if len(matches) < count and not alive and not events.collector.thread.is_alive():
                matches = [event for event in events.look() if accepts(event)]
                if len(matches) < count:
                    raise AssertionError(f"it has ended; {self.seen()}")
            return matches[:count] if len(matches) >= count else None

        return until(found, self.seen)[-1]

    def seen(self):
        return f"said: {str(self.events.look()[-20:])[-3000:]}; the child: {str(self.child.look()[-20:])[-3000:]}, {self.child.strange[-20:]}"

    def await_key(self, key, events=None, count=1):
        return self.await_event(lambda event: key in event, events, count)[key]

    def having(self, key, events=None):
        events = self.events if events is None else events
        return [event[key] for event in events.look() if key in event]

    def ask(self, name, /, **fields):
        self.ids += 1
        wanted = self.ids
        self.do(name, id=wanted, **fields)
        return self.await_event(lambda event: event.get("reply", {}).get("id") == wanted)["reply"]

    def do_child(self, name, /, **fields):
        self.do("send", message={"do": name} | fields)

    def ask_child(self, name, /, **fields):
        self.ids += 1
        wanted = self.ids
        self.do_child(name, id=wanted, **fields)

        def accepts(event):
            message = event.get("message")
            return isinstance(message, dict) and message.get("id") == wanted

        return self.await_event(accepts)["message"]

    def echo(self, value, count=1):
        """Sends a value, which comes back."""
        before = len(self.having("message"))
        for _ in range(count):
            self.do("send", message=value)
        self.await_event(lambda event: "message" in event, count=before + count)
        return self.having("message")[-1]

    def finish(self, code=0):
        self.case.assertEqual(self.program.wait(), code, self.seen())
        self.events.look()
        self.child.look()


def peer_command(kind, role):
    """`kind`: node, cpp, cpp-loop, cpp-deka."""
    name, *options = kind.split("-")
    return [NODE, PEER_JS, role] if name == "node" else [binary("t_channel"), role, *options]


class Pair(Talker):
    """A parent and its child; of both what they say."""

    def __init__(self, case, parent, child, *child_options, parent_options=(), **options):
        command = peer_command(parent, "parent") + list(parent_options) + peer_command(child, "child") + list(child_options)
        super().__init__(case, *command, env=channel_environment(), **options)


class Raw:
    """An end of a channel that the test plays: bytes and descriptors out, lines and descriptors in."""

    def __init__(self, case, connection, reads=True):
        self.case = case
        self.socket = connection
        self.data = bytearray()
        self.descriptors = []
        self.ended = False
        self.lock = threading.Lock()
        self.thread = None
        case.addCleanup(self.close)
        if reads:
            self.read()

    def read(self):
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(self.socket, 1 << 16, 16)
            except OSError:
                data, descriptors = b"", []
            with self.lock:
                self.data += data
                self.descriptors += descriptors
                if not data:
                    self.ended = True
                    return

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        if self.thread:
            self.thread.join(DEADLINE)
        self.socket.close()
        for fd in self.descriptors:
            os.close(fd)
        self.descriptors = []

    def send(self, data, *descriptors):
        if descriptors:
            sent = socket.send_fds(self.socket, [data], descriptors)
            data = data[sent:]
        self.socket.sendall(data)

    def line(self, value, *descriptors):
        self.send(json.dumps(value).encode() + b"\n", *descriptors)

    def lines(self):
        with self.lock:
            whole = bytes(self.data)
        return [json.loads(line) for line in whole.split(b"\n")[:-1]]

    def await_line(self, accepts, count=1):
        def found():
            matches = [line for line in self.lines() if accepts(line)]
            return matches[:count] if len(matches) >= count else None

        return until(found, lambda: f"lines: {str(self.lines()[-20:])[-3000:]}")[-1]

    def await_end(self):
        until(lambda: self.ended, lambda: f"no end; lines: {str(self.lines()[-20:])[-3000:]}")


class RawParent(Raw):
    """The test is the parent of a t_channel."""

    def __init__(self, case, *options, deka=False, reads=True, **program_options):
        ours, theirs = socket.socketpair()
        with theirs:
            fd = str(theirs.fileno())
            variables = {"DEKA_IPC_ENABLED": "1", "DEKA_IPC_FD": fd} if deka else {"NODE_CHANNEL_FD": fd, "NODE_CHANNEL_SERIALIZATION_MODE": "json"}
            environment = {k: v for k, v in channel_environment().items() if k not in VARIABLES} | variables
            self.other = Talker(case, "t_channel", "child", *options, env=environment, pass_fds=[theirs.fileno()], **program_options)
        # A child says what it has to say on stderr.
        self.other.events, self.other.child = self.other.child, self.other.events
        super().__init__(case, ours, reads)

    def ends_with(self, code=0):
        self.other.finish(code)


class RawChild(Raw):
    """The test is the child of a t_channel, in the place of channel_stub.py."""

    def __init__(self, case, *options, reads=True):
        folder = tempfile.TemporaryDirectory()
        case.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "stub")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(8)
            listener.settimeout(DEADLINE)
            self.other = Talker(case, "t_channel", "parent", *options, sys.executable, "-S", "-E", STUB, path, env=channel_environment())
            self.stub, _ = listener.accept()
        case.addCleanup(self.stub.close)
        self.stub.settimeout(DEADLINE)
        data, descriptors, _, _ = socket.recv_fds(self.stub, 1 << 16, 4)
        self.started_with = json.loads(data)
        super().__init__(case, socket.socket(fileno=descriptors[0]), reads)
        # The parent speaks only when it is told to: as a child it would.
        self.other.ask("echo", on=True)

    def end_child(self, word="exit 0"):
        self.stub.sendall(word.encode())

    def ends_with(self, code=0):
        self.end_child()
        self.other.finish(code)


def high_water_kib(pid):
    """The most memory that the process ever had at a time."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


class Fifo:
    """A pipe that whoever opens it to read waits for."""

    def __init__(self, case):
        folder = tempfile.TemporaryDirectory()
        case.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "fifo")
        os.mkfifo(self.path)

    def let_go(self):
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        os.close(fd)
        return True

    def release(self):
        """Lets the one that waits, or will wait, go on."""
        until(self.let_go, "nobody waits at the pipe")


def ask_tcp(port, text, connection=None):
    """What a server says to a client that says `text`."""
    with connection or socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        return exchange(client, text)


def exchange(client, text):
    client.settimeout(DEADLINE)
    client.sendall(text.encode())
    answer = b""
    end = time.monotonic() + DEADLINE
    while not answer.endswith(text.encode()) and time.monotonic() < end:
        piece = client.recv(1 << 16)
        if not piece:
            break
        answer += piece
    return answer.decode()


def ask_udp(port, text):
    """One question and its answer. Asked again and again: a datagram may be lost, or read by one that says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)

        def answer():
            client.sendto(text.encode(), ("127.0.0.1", port))
            readable, _, _ = select.select([client], [], [], 0.05)
            return client.recv(1 << 16).decode() if readable else None

        return until(answer, "no answer to a datagram")
