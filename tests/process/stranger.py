"""Programs of other users: one that speaks to a listener, and one that listens in a parent's place. Each is a Python of its own,
for a process cannot be two users; where we are not root there are no other users."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

from support import DEADLINE, binary, until

NOBODY, SOMEBODY = 65534, 65533  # numbers do: they need no name


def why_not_as_others():
    """Why no program can be started as another user; empty: it can."""
    if os.geteuid() != 0:
        return "only root can start programs as other users"
    folder = pathlib.Path(binary("t_do")).parent
    closed = [str(each) for each in (folder, *folder.parents) if not each.stat().st_mode & 0o001]
    return f"other users cannot reach the programs: {closed[0]}" if closed else ""


needs_root = unittest.skipIf(why_not_as_others(), why_not_as_others())

# Connects `count` times, sends `data`, and says how many of the connections the parent closed and what it said.
SPEAKER = """
import json, socket, struct, sys
job = json.loads(sys.stdin.readline())
data = bytes.fromhex(job["data"])
said = {"closed": 0, "open": 0, "heard": ""}
kept = []
for _ in range(job["count"]):
    s = socket.create_connection(("127.0.0.1", job["port"]), job["wait"])
    try:
        s.sendall(data)
        if job["end"] == "early":
            s.close()
            continue
        if job["end"] == "reset":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
            continue
        if job["end"] == "shutdown":
            s.shutdown(socket.SHUT_WR)
        while piece := s.recv(1024):
            said["heard"] += piece.hex()
        said["closed"] += 1
    except (BrokenPipeError, ConnectionResetError):
        said["closed"] += 1
    except TimeoutError:
        said["open"] += 1
    s.close()
print(json.dumps(said))
"""

# Keeps `count` silent connections open, one after the other anew as the parent closes it.
CROWD = """
import json, select, socket, sys
job = json.loads(sys.stdin.readline())
def come():
    return socket.create_connection(("127.0.0.1", job["port"]))
there = {s.fileno(): s for s in (come() for _ in range(job["count"]))}
gone = select.epoll()
for number in there:
    gone.register(number, select.EPOLLIN)
while True:
    for number, _ in gone.poll():
        there.pop(number).close()
        s = come()
        there[s.fileno()] = s
        gone.register(s.fileno(), select.EPOLLIN)
"""

# Listens, takes everybody, and says when its stdin ends how many came and what they said.
RECORDER = """
import json, socket, sys, threading
job = json.loads(sys.stdin.readline())
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((job["host"], job["port"]))
listener.listen(128)
print(listener.getsockname()[1], flush=True)
heard = []
def accept():
    while True:
        peer, _ = listener.accept()
        data = bytearray()
        heard.append(data)
        threading.Thread(target=read, args=(peer, data), daemon=True).start()
def read(peer, data):
    with peer:
        try:
            while piece := peer.recv(1 << 16):
                data += piece
        except OSError:
            pass
threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
print(json.dumps({"connections": len(heard), "said": b"".join(heard).hex()}))
"""


def as_user(user):
    """Options of Popen; None: this process's own user."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def start(case, source, user, **job):
    program = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", **as_user(user))

    def stop():
        program.kill()
        program.wait()
        program.stdin.close()
        program.stdout.close()

    case.addCleanup(stop)
    program.stdin.write(json.dumps(job) + "\n")
    program.stdin.flush()
    return program


def speak(case, port, data, count=1, end="closed", user=None, wait=DEADLINE):
    """`end`: waits until the parent has `closed`, or ends itself: `early`, by a `reset`, or as one should, by `shutdown`."""
    program = start(case, SPEAKER, user, port=port, data=data.hex(), count=count, end=end, wait=wait)
    line = program.stdout.readline()
    case.assertEqual(program.wait(), 0, "the speaker failed")
    return json.loads(line)


class Recorder:
    def __init__(self, case, user=None, port=0, host="127.0.0.1"):
        self.program = start(case, RECORDER, user, port=port, host=host)
        self.port = int(until(self.program.stdout.readline, "the recorder's port"))
        self.address = f"127.0.0.1:{self.port}"

    def end(self):
        """How many connected, and all that they said."""
        out, _ = self.program.communicate(timeout=DEADLINE)
        told = json.loads(out)
        return told["connections"], bytes.fromhex(told["said"])
