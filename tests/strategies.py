"""Event streams that go where a monitor is likely to be wrong.

One description of a stream is drawn through a narrow ``pick`` function, so that Hypothesis (which
shrinks) and a plain seeded generator (which is fast) produce the same kinds of streams.  Steps are
drawn first, without reference to any clock, and only then laid out in time: a step can thus be
taken out or simplified without spoiling the ones around it.

Every pool stands with its simplest value first, since that is what shrinking moves towards.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Protocol, TypeVar

from hypothesis import settings
from hypothesis import strategies as st

Event = object
Entry = dict[str, object]
Stream = tuple[list[Event], list[Entry]]
T = TypeVar("T")

SECOND = 1_000_000_000
LAST_TICK = 2**63 - 1
LONGEST = 120

END_OF_STREAM: dict[str, object] = {"type": "end-of-stream", "value": "end-of-stream"}


def portion(examples: int) -> int:
    """So many of every hundred examples that the chosen profile of Hypothesis draws."""
    return max(1, examples * settings().max_examples // 100)


def ending_at(events: list[Event], ticks: int) -> list[Event]:
    """The events up to their end, which says that the stream was watched until then."""
    end = [*events, END_OF_STREAM].index(END_OF_STREAM)
    return [*events[:end], {"type": "end-of-stream", "value": stamp(ticks)}]


class Pick(Protocol):
    """Choose one member of a pool."""

    def __call__(self, pool: Sequence[T], /) -> T:
        """Give the chosen member."""
        ...


class Move(Enum):
    """Where the next access of an endpoint stands in time."""

    STEP = "a gap after the endpoint's newest access"
    SAME = "at the stamp of the endpoint's newest access"
    EDGE = "where an access still in the window is exactly a window old"
    INSIDE_EDGE = "one nanosecond before that"
    OUTSIDE_EDGE = "one nanosecond after that"
    FRESH = "where nothing earlier is left in the window"
    FOLLOW = "at the stamp last seen on any endpoint"
    LATE = "a gap before the endpoint's newest access"


@dataclass(frozen=True)
class Access:
    """One access of a known endpoint; ``back`` says which earlier access a move refers to."""

    endpoint: int
    move: Move
    gap: int
    back: int
    status: str
    decimals: int


@dataclass(frozen=True)
class Burst:
    """Accesses whose success rate lands exactly on the SLO of an endpoint.

    Failures first, the last access is the one at which an open incident must close; failures last,
    it is the one at which none may open.
    """

    endpoint: int
    successes: int
    failures: int
    failures_first: bool
    gap: int


@dataclass(frozen=True)
class Fixed:
    """An event with no place on the clock."""

    event: Event


Step = Access | Burst | Fixed


@dataclass(frozen=True)
class Plan:
    """What holds for a whole stream.

    ``quiet`` endpoints never fail, so that they never break.
    """

    entries: list[Entry]
    base: int
    quiet: frozenset[int]
    kinds: tuple[str, ...]


NAMES = ("alpha", "beta", "gamma", "delta two")
VERBS = ("GET", "POST")
RESOURCES = ("/a", "/b", "/a/b")
ENDPOINTS = tuple((verb, resource) for resource in RESOURCES for verb in VERBS)
SLOS = ("1", "0.5", "0.9", "0.999", "0.28", "0.8", "0.9", "1", "0.07", "0.01")
WINDOWS = ("1", "2", "3", "0.5", "1", "2", "30", "0.25", "1.5", "0.1", "4.1", "0.000000001")
EXACT_RATES: dict[str, tuple[tuple[int, int], ...]] = {
    "0.5": ((1, 2), (2, 4), (3, 6)),
    "0.8": ((4, 5), (8, 10)),
    "0.9": ((9, 10), (9, 10), (9, 10), (18, 20), (90, 100)),
    "0.28": ((7, 25),),
    "0.07": ((7, 100),),
}
BASES = (0, 5, 1_543_443_091, 1_543_443_091, 1_543_443_091, 100, LAST_TICK // SECOND - 5)

MOVES = (
    *(Move.STEP,) * 8,
    *(Move.EDGE,) * 5,
    *(Move.FRESH,) * 3,
    *(Move.SAME,) * 3,
    *(Move.FOLLOW,) * 2,
    *(Move.LATE,) * 2,
    Move.INSIDE_EDGE,
    Move.OUTSIDE_EDGE,
)
GAPS = (
    SECOND,
    SECOND // 4,
    SECOND // 2,
    SECOND // 10,
    1,
    SECOND // 10_000,
    2 * SECOND,
    1_007_500_000,
    30 * SECOND,
)
NO_TRAFFIC = (None, 0, *GAPS)
STATUSES = (
    *("200",) * 9,
    *("500",) * 6,
    *("100", "204", "404", "499", "503", "599"),
)
DECIMALS = (0, 0, 0, 1, 4, 6, 9, 12)

COMMITS = ("c1", "c2", "c3", "191b6ce2fc724b37a063e8b07065f80b")
AUTHORS = ("<a@x.org>", "<a@x.org>", "<b@x.org>", "<a@x.org>\u2028<b@x.org>")
DATES = (
    "2018-11-28 14:11:31.071432",
    "2018-11-28 06:00:00",
    "2031-01-01 00:00:00.5",
    "Wed Nov 28 14:11:31 PST 2018",
    "unknown",
)
STRANGE_SERVICES = ("nobody", "alph", "Alpha", "alpha2")
STRANGE_ENDPOINTS = (("GET", "/nowhere"), ("DELETE", "/a"), ("GET", "/a/"), ("/a", "GET"))
STRAY_STAMPS = ("5", "1543443092.5", "9000000000")

WELL_FORMED = (
    *("access",) * 22,
    *("change",) * 6,
    *("burst",) * 2,
    *("strange access", "strange change"),
)
KINDS = (
    WELL_FORMED,
    (*WELL_FORMED, *("malformed",) * 2),
    (*WELL_FORMED, *("malformed",) * 10),
)

NOT_EVENTS: tuple[Event, ...] = (
    None,
    7,
    True,
    "access",
    b"access",
    [],
    ["access", "5 GET /a 200"],
    ("type", "end-of-stream"),
    {},
    {"value": "5 GET /a 500"},
    {"type": None, "value": "5 GET /a 500"},
    {"type": "", "value": "5 GET /a 500"},
    {"type": "Access", "value": "5 GET /a 500"},
    {"type": "access ", "value": "5 GET /a 500"},
    {"type": b"access", "value": "5 GET /a 500"},
    {"type": ["access"], "value": "5 GET /a 500"},
    {"type": "deploy", "value": "commit: c1"},
    {"type": "end_of_stream", "value": "end-of-stream"},
)
NOT_TEXT: tuple[object, ...] = (
    None,
    5,
    1.5,
    False,
    b"5 GET /a 500",
    [],
    ["5 GET /a 500"],
    {"text": "5 GET /a 500"},
)
BAD_SHAPES = (
    "",
    " ",
    "{stamp}",
    "{stamp} {verb} {resource}",
    "{stamp} {verb} 500",
    "{verb} {resource} 500",
    "{stamp} {verb} {resource} 500 extra",
    "{stamp}  {verb} {resource} 500",
    "{stamp} {verb} {resource}  500",
    " {stamp} {verb} {resource} 500",
    "{stamp} {verb} {resource} 500 ",
    "{stamp} {verb}  500",
    "{stamp}\t{verb}\t{resource}\t500",
    "{stamp}\u00a0{verb}\u00a0{resource}\u00a0500",
    "{stamp} {verb} {resource} 500\n",
    "{stamp} {verb} {resource} 500\r\n",
    "\n{stamp} {verb} {resource} 500",
)
BAD_STAMPS = (
    "x",
    "-5",
    "-0",
    "+5",
    "5.",
    ".5",
    "5.2.5",
    "5,25",
    "5e3",
    "5_0",
    "0x5",
    "5s",
    "nan",
    "inf",
    "Infinity",
    "\u0665",
    "5.\u0665",
    "\uff15",
    "\u00b2",
    "5.0000000001",
    "5.1234567891",
    "0.0000000001",
    "9223372036.854775808",
    "9223372037",
    "18446744073.709551616",
    "9" * 40,
    "2018-11-28T14:11:31",
)
BAD_STATUSES = (
    "ok",
    "0",
    "5",
    "99",
    "099",
    "000",
    "600",
    "999",
    "1000",
    "5000",
    "0200",
    "-200",
    "+50",
    "2e2",
    "200.",
    "5_0",
    "5xx",
    "0x1",
    "\u0662\u0660\u0660",
    "\uff15\uff10\uff10",
    "\u00b2\u00b2\u00b2",
)
BAD_LINES = (
    "",
    "{text}",
    "{label}: ",
    "{label}:",
    "{label}:{text}",
    "{label} : {text}",
    "{label}\t{text}",
    "{swapped}: {text}",
    " {label}: {text}",
    "\n{label}: {text}",
    "{label}: {text}\r",
    "{label}: \r{text}",
)
BAD_LINE_ENDS = (
    ("", "\r\n", "\r\n"),
    ("", "\r\n", ""),
    ("", "\r", ""),
    ("", "\n", "\r\n"),
    ("", "\n", "\n\n"),
    ("\n", "\n", ""),
    ("", "\n\n", "\n"),
    ("", " ", ""),
    ("", "\u2028", "\n"),
    ("", "\\n", ""),
    ("", "\n", "\nExtra: x"),
    ("", "\n", "\n "),
)


@dataclass
class _Clock:
    """The times an endpoint's accesses count at, and the stamp last seen anywhere."""

    base: int
    seen: int
    counted: dict[int, list[int]] = field(default_factory=dict)

    def moment(self, step: Access, window: int) -> int:
        times = self.counted.get(step.endpoint, [])
        if step.move is Move.FOLLOW:
            return self.seen
        if not times:
            return self.base
        return min(max(self._after(step, times, window), 0), LAST_TICK)

    def _after(self, step: Access, times: list[int], window: int) -> int:
        newest = times[-1]
        in_window = [time for time in times if time > newest - window]
        edge = in_window[-1 - step.back % len(in_window)] + window
        moments = {
            Move.STEP: newest + step.gap,
            Move.EDGE: edge,
            Move.INSIDE_EDGE: edge - 1,
            Move.OUTSIDE_EDGE: edge + 1,
            Move.FRESH: newest + window,
            Move.LATE: newest - step.gap,
        }
        return moments.get(step.move, newest)

    def note(self, endpoint: int, ticks: int) -> None:
        times = self.counted.setdefault(endpoint, [])
        times.append(max(ticks, times[-1]) if times else ticks)
        self.seen = ticks


def stamp(ticks: int, decimals: int = 0) -> str:
    """Write a time in seconds with at least so many decimals, and as many more as it needs."""
    whole, nanos = divmod(ticks, SECOND)
    fraction = f"{nanos:09d}".rstrip("0").ljust(decimals, "0")
    return f"{whole}.{fraction}" if fraction else str(whole)


def access_event(when: str, verb: str, resource: str, status: str) -> dict[str, object]:
    """Write an access in the contract's form."""
    return {"type": "access", "value": f"{when} {verb} {resource} {status}"}


def change_event(lines: Sequence[str], end: str = "\n") -> dict[str, object]:
    """Write a change from its lines."""
    return {"type": "change", "value": "\n".join(lines) + end}


def _number(pick: Pick, text: str) -> object:
    """Give a number of an entry as a number or as either kind of text."""
    plain = float(text) if "." in text else int(text)
    padded = text.ljust(8, "0") if "." in text else f"{text}.000000"
    return pick((plain, plain, text, padded))


def _entries(pick: Pick) -> list[Entry]:
    """Draw one to five endpoints, of which some share a service."""
    entries: list[Entry] = []
    free = list(ENDPOINTS)
    for _ in range(pick((1, 2, 2, 3, 3, 4, 5))):
        verb, resource = pick(free)
        free.remove((verb, resource))
        name = pick(NAMES)
        entries.append(
            {
                "name": name,
                "email": f"{name.split()[0]}@x.org",
                "verb": verb,
                "resource": resource,
                "slo": _number(pick, pick(SLOS)),
                "window": _number(pick, pick(WINDOWS)),
            }
        )
    return entries


def _plan(pick: Pick, malformed: bool) -> Plan:
    entries = _entries(pick)
    quiet = frozenset(n for n in range(len(entries)) if pick((False,) * 5 + (True,)))
    kinds = pick(KINDS) if malformed else WELL_FORMED
    return Plan(entries, pick(BASES) * SECOND, quiet, kinds)


def _text(entry: Entry, key: str) -> str:
    return str(entry[key])


def _window(entry: Entry) -> int:
    return int(Decimal(_text(entry, "window")) * SECOND)


def _exact_rates(entry: Entry) -> tuple[tuple[int, int], ...]:
    slo = float(_text(entry, "slo"))
    return next((rates for text, rates in EXACT_RATES.items() if float(text) == slo), ((2, 2),))


def _access(pick: Pick, plan: Plan) -> Access:
    endpoint = pick(range(len(plan.entries)))
    return Access(
        endpoint=endpoint,
        move=pick(MOVES),
        gap=pick(GAPS),
        back=pick((0, 1, 2, 3, 5)),
        status="200" if endpoint in plan.quiet else pick(STATUSES),
        decimals=pick(DECIMALS),
    )


def _burst(pick: Pick, plan: Plan) -> Step:
    endpoint = pick(range(len(plan.entries)))
    if endpoint in plan.quiet:
        return _access(pick, plan)
    successes, total = pick(_exact_rates(plan.entries[endpoint]))
    span = _window(plan.entries[endpoint]) - 1
    return Burst(
        endpoint=endpoint,
        successes=successes,
        failures=total - successes,
        failures_first=pick((True, False)),
        gap=pick((0, span // total)),
    )


def _change_lines(pick: Pick, services: Sequence[str]) -> list[str]:
    return [
        f"commit: {pick(COMMITS)}",
        f"Author: {pick(AUTHORS)}",
        f"Date: {pick(DATES)}",
        f"Service: {pick(services)}",
    ]


def _services(plan: Plan) -> list[str]:
    return sorted({_text(entry, "name") for entry in plan.entries})


def _change(pick: Pick, plan: Plan) -> Fixed:
    return Fixed(change_event(_change_lines(pick, _services(plan)), pick(("\n", "\n", ""))))


def _strange_change(pick: Pick, plan: Plan) -> Fixed:
    """Draw a change of a service that no entry names."""
    known = _services(plan)
    strangers = [name for name in (*STRANGE_SERVICES, *NAMES) if name not in known]
    return Fixed(change_event(_change_lines(pick, strangers)))


def _strange_access(pick: Pick, plan: Plan) -> Fixed:
    """Draw an access of an endpoint that no entry names, which must move no clock."""
    known = {(entry["verb"], entry["resource"]) for entry in plan.entries}
    strangers = [pair for pair in (*STRANGE_ENDPOINTS, *ENDPOINTS) if pair not in known]
    verb, resource = pick(strangers)
    return Fixed(access_event(pick(STRAY_STAMPS), verb, resource, pick(STATUSES)))


def _not_text(pick: Pick) -> Event:
    kind = pick(("access", "change"))
    if pick((False, False, False, True)):
        return {"type": kind}
    return {"type": kind, "value": pick(NOT_TEXT)}


def _known_or_strange(pick: Pick, plan: Plan) -> tuple[str, str]:
    known = [(_text(entry, "verb"), _text(entry, "resource")) for entry in plan.entries]
    return pick((*known, *known, STRANGE_ENDPOINTS[0]))


def _bad_shape(pick: Pick, plan: Plan) -> Event:
    verb, resource = _known_or_strange(pick, plan)
    shape = pick(BAD_SHAPES)
    value = shape.format(stamp=pick(STRAY_STAMPS), verb=verb, resource=resource)
    return {"type": "access", "value": value}


def _bad_stamp(pick: Pick, plan: Plan) -> Event:
    return access_event(pick(BAD_STAMPS), *_known_or_strange(pick, plan), pick(STATUSES))


def _bad_status(pick: Pick, plan: Plan) -> Event:
    return access_event(pick(STRAY_STAMPS), *_known_or_strange(pick, plan), pick(BAD_STATUSES))


def _without(lines: list[str], spot: int) -> list[str]:
    return lines[:spot] + lines[spot + 1 :]


def _repeated(lines: list[str], spot: int) -> list[str]:
    return [*lines, lines[spot]]


def _repeated_over_the_next(lines: list[str], spot: int) -> list[str]:
    doubled = list(lines)
    doubled[(spot + 1) % len(lines)] = lines[spot]
    return doubled


def _turned(lines: list[str], spot: int) -> list[str]:
    turn = spot or 1
    return lines[turn:] + lines[:turn]


def _swapped(lines: list[str], spot: int) -> list[str]:
    swapped = list(lines)
    swapped[spot - 1], swapped[spot] = lines[spot], lines[spot - 1]
    return swapped


BAD_ORDERS = (_without, _repeated, _repeated_over_the_next, _turned, _swapped)


def _bad_change(pick: Pick, plan: Plan) -> Event:
    """Spoil one thing in a change that was whole, so that it must have no effect at all."""
    lines = _change_lines(pick, [*_services(plan), STRANGE_SERVICES[0]])
    spot = pick(range(len(lines)))
    part = pick(("order", "line", "ends"))
    if part == "order":
        return change_event(pick(BAD_ORDERS)(lines, spot), pick(("\n", "")))
    if part == "line":
        label, text = lines[spot].split(": ", 1)
        lines[spot] = pick(BAD_LINES).format(label=label, text=text, swapped=label.swapcase())
        return change_event(lines, "")
    start, between, end = pick(BAD_LINE_ENDS)
    return {"type": "change", "value": start + between.join(lines) + end}


def _malformed(pick: Pick, plan: Plan) -> Fixed:
    kind = pick(("not an event", "stamp", "status", "shape", "change", "change", "not text"))
    if kind == "not an event":
        return Fixed(pick(NOT_EVENTS))
    if kind == "not text":
        return Fixed(_not_text(pick))
    makers = {
        "stamp": _bad_stamp,
        "status": _bad_status,
        "shape": _bad_shape,
        "change": _bad_change,
    }
    return Fixed(makers[kind](pick, plan))


def _step(pick: Pick, plan: Plan) -> Step:
    makers: dict[str, Callable[[Pick, Plan], Step]] = {
        "access": _access,
        "change": _change,
        "burst": _burst,
        "strange access": _strange_access,
        "strange change": _strange_change,
        "malformed": _malformed,
    }
    return makers[pick(plan.kinds)](pick, plan)


def _burst_accesses(burst: Burst) -> list[Access]:
    """Spell a burst out: it starts on an empty window and ends before any of it has left."""
    statuses = [*["500"] * burst.failures, *["200"] * burst.successes]
    if not burst.failures_first:
        statuses.reverse()
    return [
        Access(burst.endpoint, Move.STEP if n else Move.FRESH, burst.gap, 0, status, 0)
        for n, status in enumerate(statuses)
    ]


def _events(plan: Plan, steps: Sequence[Step]) -> list[Event]:
    """Lay the steps out in time."""
    clock = _Clock(plan.base, plan.base)
    events: list[Event] = []
    for step in steps:
        if isinstance(step, Fixed):
            events.append(step.event)
            continue
        accesses = _burst_accesses(step) if isinstance(step, Burst) else [step]
        events.extend(_laid_out(plan, clock, access) for access in accesses)
    return events


def _laid_out(plan: Plan, clock: _Clock, access: Access) -> Event:
    entry = plan.entries[access.endpoint]
    ticks = clock.moment(access, _window(entry))
    clock.note(access.endpoint, ticks)
    return access_event(
        stamp(ticks, access.decimals),
        _text(entry, "verb"),
        _text(entry, "resource"),
        access.status,
    )


def _ending(pick: Pick, plan: Plan) -> list[Event]:
    """Draw how the stream ends: properly, without a word, or with events that come too late."""
    ending = pick(("end", "end", "none", "end twice", "more after"))
    if ending == "none":
        return []
    if ending == "end":
        return [END_OF_STREAM]
    if ending == "end twice":
        return [END_OF_STREAM, END_OF_STREAM]
    more = _events(plan, [_access(pick, plan), _change(pick, plan)])
    return [END_OF_STREAM, *more, END_OF_STREAM, None]


def _pick_with(draw: st.DrawFn) -> Pick:
    def pick(pool: Sequence[T], /) -> T:
        return draw(st.sampled_from(pool))

    return pick


@st.composite
def _steps_of(draw: st.DrawFn, plan: Plan) -> Step:
    return _step(_pick_with(draw), plan)


@st.composite
def _changes_of(draw: st.DrawFn, plan: Plan) -> Step:
    return _change(_pick_with(draw), plan)


@st.composite
def streams(draw: st.DrawFn, *, malformed: bool = True) -> Stream:
    """Draw a stream and the endpoints it is about.

    The least number of steps is itself drawn: left to its own, a list comes out so short that few
    incidents would ever open and close again.
    """
    pick = _pick_with(draw)
    plan = _plan(pick, malformed)
    least = pick((0, 5, 20, 40, 20))
    before = draw(st.lists(_changes_of(plan), max_size=2))
    steps = draw(st.lists(_steps_of(plan), min_size=least, max_size=60))
    after = draw(st.lists(_changes_of(plan), max_size=1))
    events = _events(plan, [*before, *steps, *after])[:LONGEST]
    return events + _ending(pick, plan), plan.entries


def random_stream(
    rng: random.Random, length: int, *, malformed: bool = True
) -> tuple[list[Event], list[Entry]]:
    """Make a stream of exactly ``length`` events before its end, without Hypothesis."""
    pick: Pick = rng.choice
    plan = _plan(pick, malformed)
    steps: list[Step] = [_change(pick, plan) for _ in range(pick((0, 1, 2)))]
    steps += [_step(pick, plan) for _ in range(length)]
    return _events(plan, steps)[:length] + _ending(pick, plan), plan.entries
