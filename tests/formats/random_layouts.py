"""Random access logs: layouts with drawn fields, orders, separators, quotes, dates and units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random

Draw = Callable[[Random, float], str]
_PATHS = (
    "/",
    "/cart",
    "/api/v1/items/17",
    "/img/logo.png",
    "/search?q=a+b&n=200",
    "/a;v=1,2",
    "/x|y",
)
_METHODS = ("GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")
_STATUSES = (200, 200, 200, 200, 204, 301, 302, 304, 400, 401, 403, 404, 499, 500, 502, 503, 504)
_AGENTS = (
    "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36, like Gecko",
    "-",
    "Go-http",
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a line says: its time in seconds, and the rest."""

    second: float
    verb: str
    path: str
    status: int


Cell = Callable[[Random, Truth], str]


@dataclass(frozen=True, slots=True)
class Log:
    """Lines, and what each of them says."""

    lines: list[str]
    truths: list[Truth]


def _clf(second: float, decimals: int, zone: str) -> str:
    moment = datetime.fromtimestamp(second, UTC)
    fraction = f".{moment.microsecond // 1000:03}" if decimals else ""
    return f"{moment:%d/%b/%Y:%H:%M:%S}{fraction}{zone}"


def _iso(second: float, decimals: int, gap: str, zone: str) -> str:
    moment = datetime.fromtimestamp(second, UTC)
    fraction = f".{moment.microsecond // 1000:03}" if decimals else ""
    return f"{moment:%Y-%m-%d}{gap}{moment:%H:%M:%S}{fraction}{zone}"


def _draw_time(random: Random) -> tuple[Callable[[float], str], bool]:
    """How times are written, and whether they are dates (with spaces, perhaps)."""
    decimals = random.choice([0, 3])
    zone = random.choice([" +0000", "", "Z", " UTC"])
    match random.randrange(7):
        case 0 | 1:
            return (lambda second: _clf(second, decimals, " +0000")), True
        case 2 | 3:
            gap = random.choice("T ")
            return (lambda second: _iso(second, decimals, gap, zone.strip())), True
        case 4:
            return (lambda second: f"{datetime.fromtimestamp(second, UTC):%Y/%m/%d %H:%M:%S}"), True
        case 5:
            return (lambda second: f"{second:.3f}"), False
        case _:
            return (lambda second: str(round(second * 1000))), False


def _other_fields(random: Random) -> list[Draw]:
    unit = random.choice(["", "ms", "s", "us"])
    fields: list[Draw] = [
        lambda r, _: f"192.0.2.{r.randrange(255)}",
        lambda r, _: r.choice(["-", "-", "ana", "bob"]),
        lambda r, _: str(r.choice([0, 157, 512, 1228, 5120, 200, 404, r.randrange(100_000)])),
        lambda r, _: f"{r.expovariate(8):.3f}{unit}",
        lambda r, _: f"{r.randrange(1, 2000)}{unit}",
        lambda r, _: r.choice(["www.example.com", "api.example.com"]),
        lambda r, _: f"{r.getrandbits(64):016x}",
        lambda r, _: str(r.choice([80, 443, 8080])),
        lambda r, _: f"10.0.0.{r.randrange(9)}:8080",
        lambda r, _: str(r.randrange(1000, 65_000)),
        lambda _r, _: "-",
        lambda r, _: f"{r.getrandbits(33)}",
        lambda r, _: r.choice(["MISS", "HIT", "-"]),
        lambda r, _: r.choice(["200", "200", "404", "502", "-"]),  # another service's status
        lambda r, _: str(r.choice([200, 301, 404, 512])),  # bytes that look like statuses
        lambda r, second: f"[{_clf(second - r.choice([0, 7200]), 0, ' +0000')}]",
        lambda _r, second: f"[{_iso(second + 0.5, 3, 'T', 'Z')}]",
        lambda r, _: r.choice(["generated", "generated"]),
        lambda r, _: str(round(1.7e9 + r.random() * 1e8)),  # an expiry
    ]
    random.shuffle(fields)
    return fields[: random.randrange(1, 8)]


def draw_log(seed: int, count: int = 100) -> Log:
    """A log in a layout of its own."""
    random = Random(seed)
    separator = random.choice([" ", " ", " ", "\t", "|", ",", ";", " | ", ", "])
    cells = _draw_cells(random, separator)
    names = _draw_order(random, list(cells))
    keyed = random.random() < 0.25
    padded = separator in (" ", " | ") and random.random() < 0.15
    lines, truths = [], []
    second = 1741608000.0 + random.randrange(10**7)
    for _ in range(count):
        second += random.choice([0.0, 0.25, 1.0, 3.5])
        truth = Truth(
            second, random.choice(_METHODS), random.choice(_PATHS), random.choice(_STATUSES)
        )
        row = [cells[name](random, truth) for name in names]
        if keyed:
            row = [f"{name}={cell}" for name, cell in zip(names, row, strict=True)]
        if padded:
            row = [cell.rjust(12) if number % 2 else cell for number, cell in enumerate(row)]
        lines.append(separator.join(row))
        truths.append(truth)
    return Log(lines, truths)


def _draw_cells(random: Random, separator: str) -> dict[str, Cell]:
    """The fields of a layout by their keys, and how each is written."""
    show_time, is_date = _draw_time(random)
    bracket = random.choice(["{}", "[{}]", '"{}"']) if is_date else "{}"
    if " " in show_time(1741608000.0) and separator == " " and bracket == "{}":
        bracket = "[{}]"
    status = '"{}"' if random.random() < 0.15 else "{}"
    request = '"{}"' if random.random() < 0.6 or separator != " " else "{}"
    path = "{}" if separator in (" ", "\t") else '"{}"'
    cells: dict[str, Cell] = {
        "time": lambda _, truth: bracket.format(show_time(truth.second)),
        "status": lambda _, truth: status.format(truth.status),
    }
    if random.random() < 0.35:
        cells["method"] = lambda _, truth: truth.verb
        cells["uri"] = lambda _, truth: path.format(truth.path)
    else:
        cells["request"] = lambda _, truth: request.format(f"{truth.verb} {truth.path} HTTP/1.1")
    for key, other in zip("abcdefgh", _other_fields(random), strict=False):
        cells[key] = partial(_write_other, other, '"{}"' if random.random() < 0.3 else "{}")
    if random.random() < 0.5:
        cells["agent"] = lambda drawn, _: f'"{drawn.choice(_AGENTS)}"'
    return cells


def _write_other(other: Draw, form: str, random: Random, truth: Truth) -> str:
    return form.format(other(random, truth.second))


def _draw_order(random: Random, names: list[str]) -> list[str]:
    random.shuffle(names)
    if "method" in names and random.random() < 0.7:  # usually the target follows
        names.remove("uri")
        names.insert(names.index("method") + 1, "uri")
    return names
