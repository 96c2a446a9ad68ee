"""A child that gives its end of the channel away: channel_peers.py plays the child in its place.

python3 channel_stub.py <path of a listening socket>: sends what it was started with, and the descriptor; ends when it is told how.
"""
import json
import os
import socket
import sys

ours = socket.socket(socket.AF_UNIX)
ours.connect(sys.argv[1])
names = ("NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "DEKA_IPC_ENABLED", "DEKA_IPC_FD")
environment = {name: os.environ[name] for name in names if name in os.environ}
channel = int(environment.get("NODE_CHANNEL_FD") or environment["DEKA_IPC_FD"])
descriptors = {}
for fd in os.listdir("/proc/self/fd"):
    if int(fd) != ours.fileno():
        try:
            descriptors[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            pass  # the folder itself
socket.send_fds(ours, [json.dumps({"environment": environment, "descriptors": descriptors, "pid": os.getpid()}).encode()], [channel])
os.close(channel)
word = ours.recv(64).split()
if word and word[0] == b"signal":
    os.kill(os.getpid(), int(word[1]))
sys.exit(int(word[1]) if word else 0)
