"""The seed protocol from outside: frames as a child in another language writes them, such a child, and a bare parent."""
import select
import socket
import struct
import threading

from support import DEADLINE, until

FRAME_BYTES_MAX = 10_000_000
STAMP = "2026-11-21T04:16:40.727Z"


def frame(payload):
    return struct.pack(">I", len(payload)) + payload


def sized(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">I", len(data)) + data


def log_frame(message, level=2, stamp=STAMP):
    return frame(bytes([0, level]) + sized(message) + sized(stamp))


def create_frame(bar, description, total):
    return frame(b"\x01" + struct.pack(">Q", bar) + sized(description) + struct.pack(">Q", total))


def push_frame(bar, value):
    return frame(b"\x02" + struct.pack(">QQ", bar, value))


def finish_frame(bar):
    return frame(b"\x03" + struct.pack(">Q", bar))


class Client:
    """A child that has nothing but a socket. A parent may close the connection at any time: `send` then returns False."""

    def __init__(self, case, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.port = self.socket.getsockname()[1]
        self.number = 0
        case.addCleanup(self.socket.close)

    def send(self, data):
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def numbered(self, name, count=1):
        """The next `count` numbered records."""
        for i in range(self.number, self.number + count):
            self.send(log_frame(f"rec {name}/0 {i} {'x' * (i % 97)}|"))
        self.number += count

    def closed_by_parent(self, wait=DEADLINE):
        """Waits until the parent has closed the connection; it must not say anything before."""
        self.socket.settimeout(wait)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def silent(self):
        """Has the parent said nothing, and left the connection open?"""
        return not select.select([self.socket], [], [], 0)[0]

    def close(self):
        """Says no more, and waits until the parent has closed, too: whose process has gone may not be believed."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.settimeout(DEADLINE)
            while self.socket.recv(1 << 16):
                pass
        except OSError:
            pass
        self.socket.close()


class Listener:
    """A bare parent: it takes connections, keeps every byte and never says a word."""

    def __init__(self, case, piece=1 << 16, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.piece = piece
        self.connections = []
        self.ended = 0
        threading.Thread(target=self._accept, daemon=True).start()
        case.addCleanup(self._stop)

    def _stop(self):
        # Without the shutdown the thread would sit in accept() for ever.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _accept(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            data = bytearray()
            self.connections.append(data)
            threading.Thread(target=self._read, args=(peer, data), daemon=True).start()

    def _read(self, peer, data):
        with peer:
            while piece := peer.recv(self.piece):
                data += piece
        self.ended += 1

    def all(self, case):
        """The bytes of the one connection, once it has ended."""
        until(lambda: self.connections and self.ended == len(self.connections), "the end of the connection")
        case.assertEqual(len(self.connections), 1, "a child connects once")
        return bytes(self.connections[0])


def read_frames(case, data):
    """Strict: nothing but the seed's four frames, each with exactly the bytes it says. Returns tuples."""
    result = []

    def take(count):
        nonlocal data
        case.assertGreaterEqual(len(data), count, "a frame is cut")
        piece, data = data[:count], data[count:]
        return piece

    while data:
        (length,) = struct.unpack(">I", take(4))
        case.assertLessEqual(length, FRAME_BYTES_MAX)
        payload = take(length)
        kind = payload[0]
        if kind == 0:
            (message_size,) = struct.unpack_from(">I", payload, 2)
            message = payload[6:6 + message_size]
            (stamp_size,) = struct.unpack_from(">I", payload, 6 + message_size)
            stamp = payload[10 + message_size:]
            case.assertEqual(len(stamp), stamp_size)
            case.assertRegex(stamp.decode(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            case.assertLessEqual(payload[1], 5)
            result.append(("log", payload[1], message.decode(), stamp.decode()))
        elif kind == 1:
            bar, size = struct.unpack_from(">QI", payload, 1)
            case.assertEqual(length, 21 + size)
            result.append(("create", bar, payload[13:13 + size].decode(), struct.unpack_from(">Q", payload, 13 + size)[0]))
        elif kind == 2:
            case.assertEqual(length, 17)
            result.append(("push", *struct.unpack_from(">QQ", payload, 1)))
        elif kind == 3:
            case.assertEqual(length, 9)
            result.append(("finish", *struct.unpack_from(">Q", payload, 1)))
        else:
            case.fail(f"a frame that the seed does not know: {payload[:40]!r}")
    return result


def closed_port(case):
    """A port of 127.0.0.1 where nobody listens, nor will until the case is over."""
    bound = socket.socket()
    case.addCleanup(bound.close)
    bound.bind(("127.0.0.1", 0))
    return bound.getsockname()[1]
