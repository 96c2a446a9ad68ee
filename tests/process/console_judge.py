"""What a person must have seen of a run of t_console: every line once, whole and in order, every bar once, nothing else."""
import collections
import re
import unicodedata

from support import PLAIN, TERMINAL

MESSAGE = re.compile(r"src=(?P<source>[a-z]) seq=(?P<step>\d+) (?P<text>.*) end")
# Rows of bars are known by this alone: how they look is not what is judged here.
BAR = re.compile(r"\bbar (\d+) of\b")
BLANK_ROW = " " * 40  # no terminal here is narrower, and nothing that is said begins so
ENDED = ("finished", "failed", "abandoned", "orphaned")
WIDE_TEXTS = ("下載完成 한국어", "e\u0301té n\u0303 o\u0308", "\U0001F680\U0001F389 \U0001F469\u200d\U0001F680 ❤\ufe0f",
              "ｆｕｌｌ ﾊﾝｶｸ \U0001F1E9\U0001F1EA")


def letters(step, count):
    return "".join(chr(ord("a") + (step + i) % 26) for i in range(count))


def text_of(scenario, step):
    """What t_console says at a step."""
    if scenario == "long":
        return letters(step, 260 + step % 40)
    return plain_text(WIDE_TEXTS[step % len(WIDE_TEXTS)]) if scenario == "wide" else letters(step, step * 7 % 23)


def plain_text(text):
    """Terminals compose what combines, and some drop what has no width of its own."""
    return unicodedata.normalize("NFC", re.sub("[\u200d\ufe0f]", "", text))


class Expected:
    """A scenario's lines {source: count}, bars {number: last state} and stray lines. `rests`: how often `many` does. `blanks`: how
    many blank lines there may be; a frame that is under way while its terminal gets narrower may leave one, and the terminal may take
    the line that follows for the rest of it."""

    def __init__(self, scenario, steps, rests=0, blanks=0):
        self.scenario = scenario
        self.blanks = blanks
        self.sources = {"a": steps + 1}
        self.bars = dict.fromkeys(range(1, 41 if scenario == "many" else 5), "finished")
        self.strays = []
        if scenario in ("children", "killed"):
            self.sources |= dict.fromkeys("bcde", steps + 1)
        else:
            self.bars |= {2: "failed", 3: "abandoned"}
        if scenario == "killed":
            self.bars[3] = "orphaned"
            self.sources["d"] = steps // 2
        if rests:
            self.sources["z"] = rests
        if scenario == "stray":
            self.strays = [f"stray {i} of {('stderr', 'stdout', 'echo')[i % 3]}" for i in range(6)]

    def faults(self, lines, plain=False):
        """What is wrong with the whole text, in words; nothing: []. `plain`: as it is where there is no terminal."""
        faults = []
        following = dict.fromkeys(self.sources, 0)
        ends = collections.Counter()
        strays = collections.Counter()
        blanks = 0
        for line in lines:
            if line.startswith(BLANK_ROW) and blanks < self.blanks:
                blanks += 1
                line = line.lstrip()
            head = (PLAIN if plain else TERMINAL).fullmatch(line)
            message = MESSAGE.fullmatch(head["message"]) if head else None
            bar = BAR.search(line)
            if message:
                faults += self._line_faults(line, message, following, ends)
            elif "src=" in line or "seq=" in line:
                faults.append(f"torn: {line!r}")
            elif bar and int(bar[1]) in self.bars:
                # Without a terminal a bar speaks while it lives as well.
                if not plain or any(f" {word}" in line for word in ENDED):
                    faults += self._bar_faults(line, int(bar[1]), ends)
            elif line in self.strays:
                strays[line] += 1
            elif line == "" and blanks < self.blanks:
                blanks += 1
            elif not (head and head["name"] == "dlog"):
                faults.append(f"does not belong here: {line!r}")
        faults += [f"lost: {source} {following[source]} to {count - 1}"
                   for source, count in self.sources.items() if following[source] < count]
        faults += [f"no line of the end of bar {bar}" for bar in self.bars if not ends[bar]]
        faults += [f"lost: {line!r}" for line in self.strays if not strays[line]]
        faults += [f"twice: {line!r}" for line in self.strays if strays[line] > 1]
        return faults

    def _line_faults(self, line, message, following, ends):
        source, step = message["source"], int(message["step"])
        scenario = self.scenario
        if source not in following:
            return [f"not expected: {line!r}"]
        due, following[source] = following[source], max(following[source], step + 1)
        if plain_text(message["text"]) != text_of(scenario, step):
            return [f"mixed: {line!r}"]
        if step > due:
            return [f"lost: {source} {due} to {step - 1}, before {line!r}"]
        if step < due:
            return [f"twice or out of order: {line!r}"]
        # A source says its last line when its own bars have ended.
        if step + 1 == self.sources[source] and source == "a" and scenario not in ("children", "killed"):
            return [f"bar {bar} ends below {line!r}" for bar in self.bars if not ends[bar]]
        return []

    def _bar_faults(self, line, bar, ends):
        ends[bar] += 1
        if ends[bar] > 1:
            return [f"a ghost of bar {bar}: {line!r}"]
        state = self.bars[bar]
        if state != "finished" and state not in line:
            return [f"bar {bar} does not say that it is {state}: {line!r}"]
        return []


class LiveBars:
    """Looks at the screen whenever it is at rest: once all of these bars were there, none is missing, live or ended."""

    def __init__(self, bars):
        self.bars = set(bars)
        self.above = set()  # of those that have left the screen
        self.rows_looked_at = 0
        self.all_seen = False
        self.rests = 0
        self.faults = []

    def __call__(self, screen):
        new, self.rows_looked_at = screen.gone[self.rows_looked_at:], len(screen.gone)
        self.above |= numbers_of(new)
        seen = self.above | numbers_of(screen.row(y) for y in range(screen.lines))
        self.all_seen = self.all_seen or seen >= self.bars
        if not self.all_seen:
            return
        self.rests += 1
        if not seen >= self.bars:
            self.faults.append(f"bars {sorted(self.bars - seen)} are missing on a screen at rest")


def numbers_of(rows):
    return {int(match[1]) for row in rows if (match := BAR.search(row))}
