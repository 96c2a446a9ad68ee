"""What is measured, and in which order: round by round, in each round one logger after the other, those that are fast several times
in turn, so that a machine that gets slower meanwhile does so for all of them. Before each run the cores are looked at: near or
far?"""
import pathlib
import statistics
import time

import programs as programs_module

# These write in the caller and take microseconds: less of them says as much.
SLOW = {"boost_log", "glog", "log4cplus"}

# When the cores move apart or together between two loggers, the second one waits this long for them to move back.
PATIENCE_S = 4


class Results:
    """Every run's figures, by table and by step, with the regime they were taken in."""

    def __init__(self):
        self.samples = {}  # (table, step) -> [(regime, figures)]
        self.cache_line_ns = {}  # (table, regime) -> [ns]
        self.headers = None

    def add(self, table, step, regime, figures):
        if figures is not None:
            self.samples.setdefault((table, step), []).append((regime, figures))

    def regimes(self, table):
        return sorted({regime for of_table, regime in self.cache_line_ns if of_table == table}, reverse=True)

    def all(self, table, step, name, regime=None):
        """All values of one figure; none of other regimes, if one is given."""
        samples = self.samples.get((table, step), [])
        return [figures[name] for of, figures in samples if regime in (None, of) and name in figures]

    def median(self, table, step, name, regime=None):
        values = self.all(table, step, name, regime)
        return statistics.median(values) if values else None

    def worst(self, table, step, name, regime=None):
        return max(self.all(table, step, name, regime), default=None)


class Size:
    """How much is measured."""

    def __init__(self, quick):
        self.turns = 1 if quick else 4  # of a fast logger in a round
        self.samples = 2_000 if quick else 5_000
        self.records = 200_000 if quick else 1_000_000
        self.child_records = 200_000 if quick else 1_000_000
        self.unloaded_records = 10_000 if quick else 20_000
        self.errors = 50 if quick else 300
        self.idle_seconds = 1 if quick else 3
        self.bar_turns = 11 if quick else 21
        self.bar_seconds = 4 if quick else 10
        self.processes = 10 if quick else 50
        self.round_trips = 5_000 if quick else 20_000
        self.requests = 200_000 if quick else 1_000_000
        self.frames = 1_000_000 if quick else 5_000_000


def in_turns(peers, slow, size):
    """One logger after the other; the fast ones again and again."""
    for turn in range(size.turns):
        yield from (peer for peer in peers if turn == 0 or peer not in slow)


def latency_steps(programs, size):
    for threads in (1, 2):
        for record in ("a", "ints"):
            for peer in in_turns(programs.peers("caller_latency"), SLOW, size):
                yield (peer, record, threads), lambda p=peer, r=record, t=threads: programs.run(
                    f"caller_latency_{p}", record=r, threads=t, samples=size.samples)


def throughput_steps(programs, size):
    for threads in (1, 4):
        slow = SLOW | ({"spdlog_async"} if threads > 1 else set())
        for peer in in_turns(programs.peers("throughput"), slow, size):
            records = size.records // 2 if peer in slow else size.records
            yield (peer, threads), lambda p=peer, t=threads, r=records: programs.run(
                f"throughput_{p}", threads=t, records=r)


def children_steps(programs, size):
    for _ in range(size.turns):
        for count in (1, 4, 8):
            yield ("flood", count), lambda c=count: programs.run("children", mode="flood", children=c,
                                                                 records=size.child_records)
        yield "unloaded", lambda: programs.run("children", mode="unloaded", records=size.unloaded_records)
    yield "loopback", lambda: programs.run("loopback_tcp", file=False, frames=size.frames)
    yield "error", lambda: programs.run("children", mode="error", records=size.errors)


def idle_steps(programs, size):
    yield "family", lambda: programs.run("idle_family", seconds=size.idle_seconds)
    for peer in programs.peers("idle"):
        yield peer, lambda p=peer: programs.run(f"idle_{p}", seconds=size.idle_seconds)


def bars_steps(programs, size):
    for _ in range(size.turns):
        for peer in programs.peers("bar_update", programs_module.BAR_PEERS):
            yield ("update", peer), lambda p=peer: programs.run(f"bar_update_{p}", file=False, turns=size.bar_turns)
    for rows in (24, 110):
        yield ("cpu", rows), lambda r=rows: programs.run("bars_cpu", file=False, rows=r, seconds=size.bar_seconds)
    yield "children", lambda: programs.run("bars_children", file=False, seconds=size.bar_seconds // 2)


def startup_steps(programs, size):
    for peer in programs.peers("first_record"):
        # A process each, so that every one of them starts.
        yield peer, lambda p=peer: merged(programs.run(f"first_record_{p}", timeout=20) for _ in range(size.processes))
    yield "start", lambda: programs.run("dlog_start", processes=size.processes)


def connections_steps(programs, _):
    yield "connections", lambda: programs.run("connections", connections=1000)


def channel_steps(programs, size):
    window = 256
    talk = lambda **more: programs.run("channel_talk", file=False, round_trips=size.round_trips, requests=size.requests, window=window, **more)
    child = pathlib.Path(__file__).resolve().parent.parent / "node" / "talk_child.js"
    for _ in range(size.turns):
        yield "dlog", talk
        yield "dlog, no spin", lambda: talk(spin_us=0)
        yield "node", lambda: programs.node("talk_parent.js", size.round_trips, size.requests, window)
    yield "dlog, node child", lambda: talk(node=child)
    yield "node, dlog child", lambda: programs.node("talk_parent.js", size.round_trips, size.requests, window,
                                                    programs.folder / "channel_talk")


def merged(runs):
    """The medians of several runs, as of one."""
    found = [run for run in runs if run is not None]
    if not found:
        return None
    return {name: statistics.median(run[name] for run in found) if isinstance(value, (int, float)) else value
            for name, value in found[0].items()}


# The tables in the order in which they are printed; "headers" is measured by header_cost.py.
TABLES = {"latency": latency_steps, "throughput": throughput_steps, "children": children_steps, "bars": bars_steps, "idle": idle_steps,
          "startup": startup_steps, "connections": connections_steps, "channel": channel_steps}


def group_of(step):
    """What is compared with each other: the same work of all loggers."""
    return step[1:] if isinstance(step, tuple) else ()


def cache_line_ns(programs, wanted):
    """What a cache line takes now; where that is not the regime that is wanted, some time later."""
    deadline = time.monotonic() + PATIENCE_S
    ns = programs.cache_line_ns()
    while wanted not in (None, programs_module.regime_of(ns)) and time.monotonic() < deadline:
        time.sleep(0.1)
        ns = programs.cache_line_ns()
    return ns


def measure(programs, names, rounds, quick, say):
    results = Results()
    size = Size(quick)
    for number in range(1, rounds + 1):
        for name in (name for name in names if name in TABLES):
            group = regime = None
            for step, run in TABLES[name](programs, size):
                before = regime
                ns = cache_line_ns(programs, regime if group == group_of(step) else None)
                group, regime = group_of(step), programs_module.regime_of(ns)
                if before != regime:
                    say(f"{name}, round {number}/{rounds}: {regime}, a cache line takes {ns} ns")
                results.cache_line_ns.setdefault((name, regime), []).append(ns)
                results.add(name, step, regime, run())
    return results
