"""The goals, and whether they were reached: dlog's figure, what it is held against, and the ratio."""
import tables


class Goals:
    def __init__(self):
        self.table = tables.Table("Goals", ["what", "dlog", "against", "ratio", "goal", "reached"])

    def row(self, what, own, other, limit, at_least=False):
        """`own` is to be at most (at least) `limit` times `other`."""
        goal = f"{'>=' if at_least else '<='} {limit:g}x"
        if own is None or other is None:
            self.table.row(what, own, other, "-", goal, "not measured")
            return
        good = own >= limit * other if at_least else own <= limit * other
        self.table.row(what, own, other, tables.ratio(own, other), goal, "reached" if good else "NOT REACHED")

    def bound(self, what, own, limit, unit="", at_least=False):
        """`own` is to be at most (at least) `limit`."""
        goal = f"{'>=' if at_least else '<='} {limit:g}{unit}"
        if own is None:
            self.table.row(what, own, "", "", goal, "not measured")
            return
        good = own >= limit if at_least else own <= limit
        self.table.row(what, own, "", tables.ratio(own, limit) if limit else "", goal, "reached" if good else "NOT REACHED")


def in_regime(results, table, work, regime):
    """Was this work done in this regime by dlog and, if it did it at all, by quill?"""
    return all(results.all(table, (peer, *work), "lost", regime) for peer in ("dlog", "quill")
               if peer == "dlog" or results.all(table, (peer, *work), "lost"))


def latency(goals, results):
    for regime in results.regimes("latency"):
        for record, words in (("a", "record A"), ("ints", "three ints")):
            for threads, of in ((1, "1 thread"), (2, "2 threads")):
                if not in_regime(results, "latency", (record, threads), regime):
                    continue
                for name, word, limit in (("p50", "p50", 1), ("p99", "p99", 1), ("p999", "p99.9", 1.5)):
                    own, quill = (results.median("latency", (peer, record, threads), name, regime)
                                  for peer in ("dlog", "quill"))
                    goals.row(f"{regime}: call, {words}, {of}, {word} ns, to quill", own, quill, limit)
    firsts = [value for record in ("a", "ints") for threads in (1, 2) for name in ("first", "first_of_second_thread")
              for value in results.all("latency", ("dlog", record, threads), name)]
    firsts += [1e3 * value for name in ("first_alone_own_max_us", "first_in_child_own_max_us")
               for value in results.all("startup", "start", name)]
    goals.bound("worst first call that was not interrupted, us", max(firsts) / 1e3 if firsts else None, 1000, " us")


def throughput(goals, results):
    for regime in results.regimes("throughput"):
        for threads, of in ((1, "1 thread"), (4, "4 threads")):
            get = lambda peer, name: results.median("throughput", (peer, threads), name, regime)
            if not in_regime(results, "throughput", (threads,), regime):
                continue
            words = f"{regime}: text file, {of}"
            goals.row(f"{words}, M/s, to quill", get("dlog", "million_per_s"), get("quill", "million_per_s"), 2.5, True)
            goals.row(f"{words}, M/s, to spdlog sync", get("dlog", "million_per_s"), get("spdlog_sync", "million_per_s"), 2, True)
            goals.bound(f"{words}, lost", tables.lost(results, "throughput", [("dlog", threads)], regime), 0)
            goals.bound(f"{words}, peak MiB", get("dlog", "peak_mib"), 16, " MiB")


def children(goals, results):
    for count, words in ((1, "1 child"), (4, "4 children"), (8, "8 children")):
        step = ("flood", count)
        goals.bound(f"{words}, M/s", results.median("children", step, "million_per_s"), 3, " M/s", True)
        goals.bound(f"{words}, lost", tables.lost(results, "children", [step]), 0)
    # A tenth is within what two runs of the same program differ by.
    goals.row("call in a child, p50 ns, to the parent's", results.median("children", "unloaded", "child_p50"),
              results.median("children", "unloaded", "parent_p50"), 1.1)


def bars(goals, results):
    for threads, of in ((1, "1 thread"), (2, "2 threads")):
        goals.bound(f"step of a bar, {of}, to a fetch_add", results.median("bars", ("update", "dlog"), f"ratio_{threads}"), 1.2, "x")
    for rows in (24, 110):
        step = ("cpu", rows)
        goals.bound(f"100 live bars on {rows} rows, dlog's % of a core", results.median("bars", step, "dlog_percent"), 0.3, " %")
    goals.bound("100 bars of 10 children, % of the parent's core", results.median("bars", "children", "core_percent"), 1, " %")
    # What is counted begins and ends between two changes.
    goals.bound("changes of a child's bar on the wire, /s", results.median("bars", "children", "changes_a_second_and_bar"), 10.2, "/s")


def idle(goals, results):
    for who, step, prefix in (("alone", "dlog", ""), ("parent", "family", "parent_"), ("child", "family", "child_")):
        goals.bound(f"idle, {who}: wake-ups a second", results.worst("idle", step, prefix + "switches_a_second"), 0)
        goals.bound(f"idle, {who}: next record shown, ms", results.worst("idle", step, prefix + "next_shown_ms"), 15, " ms")


def startup(goals, results):
    shown, connect = results.median("startup", "dlog", "shown_us"), results.median("startup", "start", "connect_us")
    goals.bound("start to first record shown, us", shown, 2000, " us")
    goals.bound("a child's connect, us", connect, 300, " us")


def connections(goals, results):
    goals.bound("idle connection, KiB", results.median("connections", "connections", "kib_each"), 4, " KiB")
    threads = [results.median("connections", "connections", f"threads_{when}") for when in ("before", "after")]
    goals.bound("threads for 1,000 connections", None if None in threads else threads[1] - threads[0], 0)


def channel(goals, results):
    get = lambda step, name: results.median("channel", step, name)
    bare, json = get("dlog", "bare_p99_us"), get("dlog", "json_us")
    # What a bare pair of sockets takes and, beside it, the JSON.
    goals.row("round trip, p99 us, to 1.3 bare ones and the JSON", get("dlog", "p99_us"), None if bare is None else 1.3 * bare + json, 1)
    goals.bound("requests a second", get("dlog", "requests_a_second"), 237_000, "/s", True)
    goals.row("requests a second, to Node's", get("dlog", "requests_a_second"), get("node", "requests_a_second"), 1, True)


def headers(goals, results):
    for compiler in results.headers["times"]:
        for calls in (1, 100):
            own, quill, spdlog = (tables.seconds(results.headers, compiler, logger, calls)
                                  for logger in ("dlog", "quill", "spdlog_compiled"))
            words = f"{compiler}: compile {calls} call{'s' if calls > 1 else ''}, s"
            goals.row(f"{words}, to quill", own, quill, 0.5)
            goals.row(f"{words}, to spdlog compiled", own, spdlog, 0.25)
        for kind, words in (("ints", "three ints"), ("a", "record A")):
            own, quill = (results.headers["bytes"][compiler].get((logger, kind)) for logger in ("dlog", "quill"))
            goals.row(f"{compiler}: bytes a call, {words}, to quill", own, quill, 1)


ALL = {"latency": latency, "throughput": throughput, "children": children, "bars": bars, "idle": idle, "startup": startup,
       "connections": connections, "channel": channel, "headers": headers}


def table(results, names):
    goals = Goals()
    for name in names:
        ALL[name](goals, results)
    return goals.table
