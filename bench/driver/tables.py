"""The tables: what was measured, as rows of text."""
import statistics

import programs


class Table:
    def __init__(self, title, columns, notes=()):
        self.title, self.columns, self.notes, self.rows = title, columns, list(notes), []

    def row(self, *cells):
        self.rows.append([cell if isinstance(cell, str) else figure(cell) for cell in cells])

    def text(self):
        table = [self.columns, *self.rows]
        widths = [max(len(row[i]) for row in table) for i in range(len(self.columns))]
        lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                           for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in table]
        return "\n".join([f"== {self.title}", *lines, *self.notes, ""])

    def markdown(self):
        lines = [f"| {' | '.join(row)} |" for row in [self.columns, ["---"] + ["--:"] * (len(self.columns) - 1), *self.rows]]
        return "\n".join([f"## {self.title}", "", *lines, "", *self.notes, *([""] if self.notes else [])])


def figure(value):
    """Three digits that count; what is not there is a dash."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def ratio(value, reference):
    """How many times the reference; empty where either is missing."""
    return f"{value / reference:.2f}x" if value is not None and reference else "-"


def pair(*values):
    return " / ".join(figure(value) for value in values)


def regime_words(results, table, regime, step):
    """The regime, and how many of the fast loggers' runs met it."""
    ns = [n for n in results.cache_line_ns[table, regime] if n is not None]
    line = f", a cache line takes {statistics.median(ns):.0f} ns" if ns else ""
    runs = len(results.all(table, step, "lost", regime))
    return f"{regime}{line}, {runs} run{'' if runs == 1 else 's'}"


def latency(results, peers):
    for regime in results.regimes("latency"):
        for record, words in (("a", "record A"), ("ints", "three ints")):
            steps = [("dlog", record, threads) for threads in (1, 2)]
            if not any(results.all("latency", step, "p50", regime) for step in steps):
                continue
            table = Table(f"Caller latency, {words} ({regime_words(results, 'latency', regime, steps[0])})",
                          ["ns a call", "1 thread p50", "p99", "p99.9", "max", "p50 to dlog's", "2 threads p50", "p99",
                           "p99.9", "max", "p50 to dlog's", "first call, us", "of 2nd thread", "lost"])
            for peer in peers:
                cells = []
                for threads in (1, 2):
                    step = (peer, record, threads)
                    cells += [results.median("latency", step, name, regime) for name in ("p50", "p99", "p999", "max")]
                    cells.append(ratio(cells[-4], results.median("latency", ("dlog", record, threads), "p50", regime)))
                both = [(peer, record, 1), (peer, record, 2)]
                for name in ("first", "first_of_second_thread"):
                    firsts = [v for step in both for v in results.all("latency", step, name, regime)]
                    cells.append(pair(statistics.median(firsts) / 1e3, max(firsts) / 1e3) if firsts else "-")
                table.row(peer, *cells, lost(results, "latency", both, regime))
            table.notes.append("Bursts of 20 calls; medians of all runs; first calls: median / worst.")
            yield table


def lost(results, table, steps, regime=None):
    counts = [results.worst(table, step, name, regime) for step in steps for name in ("lost", "extra")]
    counts = [count for count in counts if count is not None]
    return sum(counts) if counts else None


def throughput(results, peers):
    for regime in results.regimes("throughput"):
        table = Table(f"Text file ({regime_words(results, 'throughput', regime, ('dlog', 1))})",
                      ["million records/s", "1 thread", "dlog to it", "CPU ns", "peak MiB", "4 threads", "dlog to it", "CPU ns",
                       "peak MiB", "lost"])
        for peer in peers:
            cells = []
            for threads in (1, 4):
                step = (peer, threads)
                speed = results.median("throughput", step, "million_per_s", regime)
                cells += [speed, ratio(results.median("throughput", ("dlog", threads), "million_per_s", regime), speed)]
                cells += [results.median("throughput", step, name, regime) for name in ("cpu_ns", "peak_mib")]
            table.row(peer, *cells, lost(results, "throughput", [(peer, 1), (peer, 4)], regime))
        table.notes.append("Record A, from the first call until the last record stands in the file; CPU time of the process.")
        yield table


def children(results, _):
    median = lambda step, name: results.median("children", step, name)
    loopback = median("loopback", "million_per_s")
    table = Table("Children, rendered by the parent to a file",
                  ["children", "million/s", "of bare TCP", "ns a call, flooding", "parent's peak MiB", "lost"])
    for count in (1, 4, 8):
        step = ("flood", count)
        speed = median(step, "million_per_s")
        table.row(str(count), speed, ratio(speed, loopback), median(step, "call_ns"), median(step, "peak_mib"),
                  lost(results, "children", [step]))
    table.row("bare TCP, 64 KiB batches", loopback, "", "", "", "")
    unloaded = [median("unloaded", name) for name in ("parent_p50", "parent_p99", "child_p50", "child_p99")]
    table.notes.append(f"Call, ns, p50 / p99: in the parent {pair(*unloaded[:2])}, in a child {pair(*unloaded[2:])} "
                       f"({ratio(unloaded[2], unloaded[0])}).")
    error = pair(median("error", "p50_us"), median("error", "p99_us"))
    table.notes.append(f"An error record of a child is in the parent's file after {error} us (p50 / p99).")
    yield table


def bars(results, _):
    get = lambda step, name: results.median("bars", step, name)
    table = Table("A step of a live bar, beside a relaxed fetch_add",
                  ["ns", "1 thread", "fetch_add", "ratio", "2 threads, same bar", "fetch_add", "ratio"])
    for peer in programs.BAR_PEERS:
        if get(("update", peer), "ns_1") is not None:
            cells = []
            for threads in (1, 2):
                cells += [get(("update", peer), f"{name}_{threads}") for name in ("ns", "fetch_add_ns")]
                cells.append(ratio(get(("update", peer), f"ratio_{threads}"), 1))
            table.row(peer, *cells)
    table.notes.append("In turns; the ratio is the median of the turns' ratios.")
    yield table
    table = Table("100 live bars, changed 10 times a second",
                  ["% of a core", "dlog", "caller", "reader of the terminal", "frames/s", "bytes/s"])
    for rows in (24, 110):
        names = ("dlog_percent", "caller_percent", "reader_percent", "frames_a_second", "bytes_a_second")
        table.row(f"{rows} rows", *(get(("cpu", rows), name) for name in names))
    yield table
    table = Table("Bars of children, changed as fast as they can",
                  ["children", "bars", "parent, % of a core", "of it the terminal's reader", "changes/s of a bar", "frames/s",
                   "million steps/s"])
    table.row(*(get("children", name) for name in ("children", "bars", "core_percent", "reader_percent", "changes_a_second_and_bar",
                                                   "frames_a_second", "million_steps_a_second")))
    yield table


def idle(results, _):
    table = Table("Idle, after one quiet second",
                  ["who", "wake-ups a second", "% of a core", "next record shown, ms", "call that wakes, us"])
    get = lambda step, name: results.worst("idle", step, name)
    for step, who in (("dlog", "dlog alone"), ("quill", "quill")):
        if get(step, "core_percent") is not None:
            names = ("switches_a_second", "core_percent", "next_shown_ms", "waking_call_us")
            table.row(who, *(get(step, name) for name in names))
    for who in ("parent", "child"):
        table.row(f"dlog {who}", get("family", f"{who}_switches_a_second"), get("family", f"{who}_core_percent"),
                  get("family", f"{who}_next_shown_ms"), "")
    table.notes.append("The worst of all rounds.")
    yield table


def startup(results, _):
    table = Table("Start", ["us", "p50", "worst", "worst not interrupted"])
    get = lambda step, name: results.median("startup", step, name)
    for peer in ("dlog", "quill"):
        if get(peer, "shown_us") is not None:
            table.row(f"{peer}: main() to first record in the file", get(peer, "shown_us"), "", "")
            table.row(f"{peer}: of it the start", get(peer, "start_us"), "", "")
            table.row(f"{peer}: of it the first call", get(peer, "call_us"), "", "")
    for name, what in (("connect", "dlog: a child's init()"), ("first_in_child", "dlog: a child's first call, no init()"),
                       ("first_alone", "dlog: a first call, no init()")):
        table.row(what, get("start", f"{name}_us"), *(results.worst("startup", "start", f"{name}_{kind}max_us") for kind in ("", "own_")))
    interrupted = sum(results.all("startup", "start", "interrupted"))
    table.notes.append(f"The system took the core away in the middle of {interrupted} of dlog's, in all rounds.")
    yield table


def connections(results, _):
    get = lambda name: results.median("connections", "connections", name)
    table = Table("Idle connections", ["connections", "KiB each", "parent's MiB before", "after", "threads before", "after"])
    names = ("connections", "kib_each", "rss_before_mib", "rss_after_mib", "threads_before", "threads_after")
    table.row(*(get(name) for name in names))
    yield table


def channel(results, _):
    get = lambda step, name: results.median("channel", step, name)
    table = Table("The channel, a parent and a child", ["us", "round trip p50", "p99", "CPU, both sides", "requests a second, 256 under way"])
    table.row("bare pair of sockets", get("dlog", "bare_p50_us"), get("dlog", "bare_p99_us"), "", "")
    for step, words in (("dlog", "dlog and dlog"), ("dlog, no spin", "the same, spin 0"), ("dlog, node child", "dlog and Node"), ("node, dlog child", "Node and dlog"),
                        ("node", "Node and Node")):
        table.row(words, get(step, "p50_us"), get(step, "p99_us"), "" if step.startswith("node") else get(step, "cpu_us"), get(step, "requests_a_second"))
    table.notes.append(f"A message of some 90 bytes. To write and read it twice, as a round trip does, takes {figure(get('dlog', 'json_us'))} us.")
    yield table


def seconds(headers, compiler, logger, calls):
    values = [took[logger, calls] for took in headers["times"][compiler] if (logger, calls) in took]
    return statistics.median(values) if values else None


def headers(results, _):
    for compiler, rounds in results.headers["times"].items():
        table = Table(f"Headers, {compiler}: CPU seconds of the compiler, bytes of code a call",
                      ["included", "1 call", "10 calls", "100 calls", "100 to dlog's", "bytes, three ints", "bytes, record A"])
        for logger in dict.fromkeys(logger for logger, _ in rounds[0]):
            times = [seconds(results.headers, compiler, logger, calls) for calls in (1, 10, 100)]
            sizes = [results.headers["bytes"][compiler].get((logger, kind)) for kind in ("ints", "a")]
            name = "only <string>" if logger == "nothing" else logger
            table.row(name, *times, ratio(times[2], seconds(results.headers, compiler, "dlog", 100)), *sizes)
        yield table
    size = {name: value / 1024 for name, value in results.headers["library"].items()}
    table = Table("The library", ["KiB", "code", "stripped file"])
    table.row("libdlog.a", size["archive_code"], "")
    table.row("libdlog.so", size["shared_code"], size["shared_file"])
    yield table


# In the order in which they are printed.
ALL = {"latency": latency, "throughput": throughput, "children": children, "bars": bars, "idle": idle, "startup": startup,
       "connections": connections, "channel": channel, "headers": headers}
