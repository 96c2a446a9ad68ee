"""Version 2 of the wire from outside, written down anew from docs/wire.md: frames, strict reading, and its announcement."""
import struct

from seed import STAMP, frame, sized  # noqa: F401 (what its users need beside these)
from support import Console, clean_environment

TOKEN = "00112233445566778899aabbccddeeff"
RUNNING, FINISHED, FAILED, ABANDONED, ORPHANED, CLEARED = range(6)
STAMP_NS = 1_795_234_600_727_123_456


def hello_frame(name, pid, token=TOKEN, version=2):
    return frame(b"\x10" + struct.pack(">HI", version, pid) + sized(name) + sized(token))


def site_frame(number, file, line, function):
    return frame(b"\x11" + struct.pack(">II", number, line) + sized(file) + sized(function))


def record_frame(message, level=2, site=0, thread=0, time_ns=STAMP_NS, notice=False):
    return frame(b"\x12" + struct.pack(">BBIQq", notice, level, site, thread, time_ns) + sized(message))


def flush_frame(number, records, last=False):
    return frame(b"\x14" + struct.pack(">BQQ", last, number, records))


def flushed_frame(number, records, lost):
    return frame(b"\x20" + struct.pack(">QQQ", number, records, lost))


def bar_frame(bar, parent=0, state=RUNNING, paused=False, unit=0, estimate=0, time_ns=STAMP_NS, value=0, total=0, description="", message="",
              template=""):
    return frame(b"\x13" + struct.pack(">QQBBBIqQQ", bar, parent, state, paused, unit, estimate, time_ns, value, total)
                 + sized(description) + sized(message) + sized(template))


class Payload:
    """Fields of a payload from its front; each must be there, and nothing may be left."""

    def __init__(self, case, data):
        self.case, self.data = case, data

    def numbers(self, form):
        size = struct.calcsize(">" + form)
        self.case.assertGreaterEqual(len(self.data), size)
        piece, self.data = self.data[:size], self.data[size:]
        return struct.unpack(">" + form, piece)

    def text(self):
        (size,) = self.numbers("I")
        self.case.assertGreaterEqual(len(self.data), size)
        piece, self.data = self.data[:size], self.data[size:]
        return piece.decode()


def read_extension_frames(case, data):
    """Strict: the frames that a child of ours sends to a parent of ours, each with exactly the bytes it says, as dictionaries."""
    result = []
    while data:
        (length,) = struct.unpack_from(">I", data)
        payload, data = Payload(case, data[4:4 + length]), data[4 + length:]
        case.assertEqual(len(payload.data), length, "the last frame is cut")
        (kind,) = payload.numbers("B")
        if kind == 0x02:
            bar, value = payload.numbers("QQ")
            found = {"frame": "push", "bar": bar, "value": value}
        elif kind == 0x10:
            version, pid = payload.numbers("HI")
            found = {"frame": "hello", "version": version, "pid": pid, "name": payload.text(), "token": payload.text()}
        elif kind == 0x11:
            number, line = payload.numbers("II")
            found = {"frame": "site", "number": number, "line": line, "file": payload.text(), "function": payload.text()}
        elif kind == 0x12:
            flags, level, site, thread, time_ns = payload.numbers("BBIQq")
            found = {"frame": "record", "flags": flags, "level": level, "site": site, "thread": thread, "time_ns": time_ns,
                     "message": payload.text()}
        elif kind == 0x13:
            names = ("bar", "parent", "state", "flags", "unit", "estimate", "time_ns", "value", "total")
            found = {"frame": "bar", **dict(zip(names, payload.numbers("QQBBBIqQQ"))), "description": payload.text(),
                     "message": payload.text(), "template": payload.text()}
        elif kind == 0x14:
            flags, number, records = payload.numbers("BQQ")
            found = {"frame": "flush", "flags": flags, "number": number, "records": records}
        elif kind == 0x15:
            found = {"frame": "watch"}
        else:
            case.fail(f"a frame that a child of ours does not send: {kind:#x}")
        case.assertEqual(payload.data, b"", found)
        result.append(found)
    return result


def announced(address, pid=1, cookie=0, token=TOKEN):
    """The variables of a parent of ours that listens at `address`."""
    return {"DLOG_PIPE": address, "DLOG_PIPE_ID": f"{address.rsplit(':', 1)[1]}:{pid}:{cookie}:{token}"}


class OurConsole(Console):
    """A parent that waits for children; `variables` is what it announces to them."""

    def __init__(self, case, *before, **options):
        super().__init__(case, "role", "getenv DLOG_PIPE_ID", *before, **options)
        name, _, self.pipe_id = self.answer("getenv").partition("=")
        case.assertEqual(name, "DLOG_PIPE_ID")
        self.variables = {"DLOG_PIPE": self.address, "DLOG_PIPE_ID": self.pipe_id}

    def child_environment(self, **more):
        return clean_environment(**self.variables, **more)
