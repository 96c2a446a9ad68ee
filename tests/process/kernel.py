"""What the kernel says of a process: memory, threads, how often they ran, where it listens."""
import os
import re

def status(pid, key):
    """A number of /proc/<pid>/status, for instance VmRSS (in KiB)."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return int(re.search(rf"^{key}:\s+(\d+)", file.read(), re.M)[1])


def threads(pid):
    """Thread id -> name, of every thread but the first."""
    result = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        if int(task) != pid:
            with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as file:
                result[int(task)] = file.read().strip()
    return result


def context_switches(pid, tasks):
    """How often these threads have been switched to, of their own will or not."""
    total = 0
    for task in tasks:
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as file:
            total += sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", file.read()))
    return total


def listening_ports(pid):
    """The TCP ports that a process listens on."""
    sockets = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            sockets.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            pass
    result = []
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except FileNotFoundError:
            continue
        result += [int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
    return result
