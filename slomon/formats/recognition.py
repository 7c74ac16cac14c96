"""
Recognition: which format the first lines of a log are in.

Logs begin with banners, warnings and the connections of scanners. So only the lines that look like
requests are judged, if there are any. The format must read at least half of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Final, TypeAlias

from slomon.core.events import Malformed
from slomon.formats.builtin import SIGNS
from slomon.formats.format import Ambiguity, AnyLayout, Format, Item, Reading, Switch, read_lines
from slomon.formats.json_keys import JsonKeys, find_missing_keys
from slomon.formats.json_lines import read_object
from slomon.formats.layout import Kind, Layout
from slomon.formats.layout_lines import explain, make_status_reader
from slomon.formats.registry import make_format, mark_utc, mix_formats, restore_formats
from slomon.formats.times import FORMS
from slomon.formats.wrappers import (
    Wrapper,
    find_wrapper,
    keep_time,
    unwrap_lines,
    wrap_format,
)
from slomon.text import excerpt, quote

Infer: TypeAlias = Callable[[Sequence[str]], "AnyLayout | Ambiguity | None"]
"""
Returns the layout of lines that no known format reads, None if they have none, or an Ambiguity if
several layouts are as likely.
"""

_JUDGED: Final = 100  # lines
_WRAPPED_AT_MOST: Final = 3  # times, as colours in a container's log of a syslog
_METHODS: Final = "GET|POST|PUT|HEAD|DELETE|PATCH|OPTIONS|CONNECT|PROPFIND|REPORT|TRACE"
_REQUEST: Final = re.compile(rf"(?<![A-Za-z])(?:{_METHODS})(?![A-Za-z])|HTTP/[0-9]")
_STATUS: Final = re.compile(r"""(?:^|[ \t"',|=]|[A-Za-z"]: ?)"?[1-5][0-9]{2}(?=$|[ \t"',|)}])""")
# Those that are registered, and those that servers invented. Other numbers are hardly statuses.
_STATUSES: Final = frozenset(
    str(status)
    for numbers in (
        *(range(100, 104), range(200, 209), range(226, 227), range(300, 309), range(400, 419)),
        *(range(421, 432), range(440, 452), range(460, 465), range(494, 500), range(500, 512)),
        *(range(520, 531), range(561, 562), range(598, 600)),
    )
    for status in numbers
) | {"-", "-1", "0", "000"}
_TELLING: Final = frozenset({Kind.TIME, Kind.REQUEST, Kind.METHOD, Kind.STATUS})
# Expressions that only an error needs are compiled by it.
_REQUEST_LINE: Final = rf"(?:{_METHODS}) .* HTTP/[0-9]"
_PARTS: Final = {
    "time": "(?<![0-9])(?:" + "|".join(form.pattern for form in FORMS.values()) + ")",
    "HTTP method": _REQUEST.pattern,
    "status": r"(?<![\w.:/-])[1-5][0-9]{2}(?![\w.:/-])",
}
_EVENT: Final = re.compile(r'\{"type": ?"')
_ERROR: Final = re.compile(
    r"[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9:]{8} \[[a-z]+\] [0-9]+#[0-9]+: "  # nginx
    r"|\[[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9 :.]+\] \[[a-z0-9_]*:?[a-z0-9]+\] "  # Apache
)


def looks_like_request(line: str) -> bool:
    """Does a line have a method or a protocol, and a number that may be a status?"""
    if _EVENT.match(line):
        return True
    return bool(_REQUEST.search(line) and _STATUS.search(line)) and not _ERROR.match(line)


@dataclass(frozen=True, slots=True)
class Recognition:
    """The format of a log, and whether it was inferred, or UTC was assumed for its times."""

    format: Format
    inferred: bool = False
    assumed_utc: bool = False


def recognise(
    lines: Sequence[str], formats: Sequence[Format], reading: Reading, infer: Infer
) -> Recognition | str:
    """
    Recognise the format of lines that are not blank: one of `formats`, in a wrapper or not, or one
    that `infer` finds. Returns the reason if there is none.
    """
    if not lines:
        return "it has no lines"
    plain = _recognise_wrapped(lines, formats, reading)
    if plain is not None:
        return Recognition(plain)
    if reading.zone is None:
        in_utc = replace(reading, zone=UTC)
        zoned = [
            form for form in restore_formats([known.spec for known in formats], in_utc) if form
        ]
        assumed = _recognise_wrapped(lines, zoned, in_utc)
        if assumed is not None:
            return Recognition(mark_utc(assumed), assumed_utc=True)
    return _infer(lines, formats, reading, infer)


def recognise_given(lines: Sequence[str], form: Format, reading: Reading) -> Recognition | str:
    """
    Recognise the wrapper of lines in a format that is known, and whether it has zones. Returns a
    reason only if its keys are not found.
    """
    found = recognise(lines, [form], reading, lambda _: None)
    unknown = form.fit is not None and form.layout is None
    return Recognition(form) if isinstance(found, str) and not unknown else found


def _recognise_wrapped(
    lines: Sequence[str], formats: Sequence[Format], reading: Reading, depth: int = 0
) -> Format | None:
    best, most = _best(lines, formats)
    wrapper = find_wrapper(lines) if depth < _WRAPPED_AT_MOST else None
    if wrapper is None:
        return best
    contents = unwrap_lines(wrapper, lines)
    inner = _recognise_wrapped(contents, formats, reading, depth + 1)
    if inner is None and _lacks_time(best) and (timed := keep_time(wrapper)):
        wrapper, contents = timed, unwrap_lines(timed, lines)
        inner = _recognise_wrapped(contents, formats, reading, depth + 1)
    count = 0 if inner is None else _count(contents, _judged(contents), inner)
    # Text before the brace of a JSON object needs no wrapper.
    stays = best is not None and isinstance(best.layout, JsonKeys) and wrapper.prefix is not None
    if inner is None or count < most + stays:
        return best
    return wrap_format(wrapper, inner, reading)


def _lacks_time(form: Format | None) -> bool:
    """Is there no format, or do its objects of JSON take their time from the text before them?"""
    return form is None or (isinstance(form.layout, JsonKeys) and not form.layout.fields["time"])


def _best(lines: Sequence[str], formats: Sequence[Format]) -> tuple[Format | None, int]:
    """The format that reads most of the lines that are judged, and how many it reads."""
    judged = _judged(lines)
    best, most = None, 0
    for form in fit_formats(formats, lines):
        if _has_its_time(form, judged) and (count := _count(lines, judged, form)) > most:
            best, most = form, count
        if judged and most == len(judged):
            break
    if best is None or 2 * most < len(judged):
        return None, 0
    second, more = _find_second(best, lines, formats)
    return (mix_formats(best, second), most + more) if second else (best, most)


def _find_second(
    best: Format, lines: Sequence[str], formats: Sequence[Format]
) -> tuple[Format | None, int]:
    """
    The format that reads the other requests of a log, if one of the two is JSON, and how many it
    reads: a service mesh writes the text of one proxy and the JSON of another into one log.
    """
    rest = [line for line in lines if looks_like_request(line) and not _is_read(best.parse(line))]
    is_json = isinstance(best.layout, JsonKeys)
    if best.layout is None or not (is_json or any("{" in line for line in rest)):
        return None, 0
    for form in fit_formats(formats, rest[:_JUDGED]) if len(rest) > 1 else ():
        if form.layout is not None and isinstance(form.layout, JsonKeys) != is_json:
            count = _count(rest, rest[:_JUDGED], form)
            if count > 1 and 2 * count >= len(rest[:_JUDGED]):
                return form, count
    return None, 0


def fit_formats(formats: Iterable[Format], lines: Sequence[str]) -> Iterator[Format]:
    """The formats, those in their place whose keys are found in the lines."""
    for form in formats:
        fitting = form.fit(lines) if form.fit else None
        yield fitting if isinstance(fitting, Format) else form


def _judged(lines: Sequence[str]) -> list[str]:
    requests = [line for line in lines if looks_like_request(line)]
    return (requests or list(lines))[:_JUDGED]


def _has_its_time(form: Format, lines: Sequence[str]) -> bool:
    """Do lines contain a time in the form of the layout? This is asked before the layout is."""
    if not isinstance(form.layout, Layout):
        return True
    time = next(part.field for part in form.layout.parts if part.field.kind is Kind.TIME)
    return any(re.search(FORMS[time.form].pattern, line) for line in lines)


def _count(lines: Sequence[str], judged: Sequence[str], form: Format) -> int:
    """How many of the judged lines a format reads. A header may stand before them."""
    layout = form.layout
    if isinstance(layout, Layout):
        if not _has_signs(form, judged):
            return 0
        find_status = make_status_reader(layout)
        return sum(find_status(line) in _STATUSES and _is_read(form.parse(line)) for line in judged)
    expected = set(judged)
    reads = zip(lines, read_lines(form, lines), strict=True)
    count = sum(_is_read(read) for line, read in reads if line in expected)
    return min(count, len(judged))


def _has_signs(form: Format, lines: Sequence[str]) -> bool:
    """Do most of the lines have the signs that tell a layout from others?"""
    signs = SIGNS.get(form.name)
    return not signs or 2 * sum(bool(re.match(signs, line)) for line in lines) > len(lines)


def _is_read(read: Item | Switch) -> bool:
    return read is not None and not isinstance(read, Malformed)


def _infer(
    lines: Sequence[str], formats: Sequence[Format], reading: Reading, infer: Infer
) -> Recognition | str:
    wrapper = find_wrapper(lines)
    contents = lines if wrapper is None else unwrap_lines(wrapper, lines)
    doubts = (form.fit(contents) for form in formats if form.fit)
    if doubt := next((doubt for doubt in doubts if isinstance(doubt, str)), None):
        return doubt
    found, wrappers = _infer_wrapped(lines, infer)
    if isinstance(found, Ambiguity):
        shown = " or ".join(f"'{excerpt(layout.show(), 300)}'" for layout in found.layouts)
        return f"its lines can be read as {shown}: --log-format (log_format=) chooses one"
    if found is None:
        form = None if any(map(looks_like_request, lines)) else _find_followed(lines, formats)
        return Recognition(form) if form else describe_nearest(lines, formats)
    wrapped = make_format(found, reading)
    for outer in reversed(wrappers):
        wrapped = wrap_format(outer, wrapped, reading)
    if reading.zone is not None or any(_is_read(wrapped.parse(line)) for line in lines):
        return Recognition(wrapped, inferred=True)
    known = restore_formats([wrapped.spec], replace(reading, zone=UTC))[0] or wrapped
    return Recognition(mark_utc(known), inferred=True, assumed_utc=True)


def _infer_wrapped(
    lines: Sequence[str], infer: Infer, depth: int = 0
) -> tuple[AnyLayout | Ambiguity | None, list[Wrapper]]:
    """The layout of lines, and the wrappers around it, the outermost first."""
    wrapper = find_wrapper(lines) if depth < _WRAPPED_AT_MOST else None
    for outer in (wrapper, wrapper and keep_time(wrapper)):
        if outer is not None:
            found, inner = _infer_wrapped(unwrap_lines(outer, lines), infer, depth + 1)
            if found is not None:
                return found, [outer, *inner]
    return infer(_judged(lines)), []


def _find_followed(lines: Sequence[str], formats: Sequence[Format]) -> Format | None:
    """The format whose layout most lines follow, if no line of a log has a request."""
    first = lines[:_JUDGED]
    for form in formats:
        if isinstance(layout := form.layout, Layout) and _has_its_time(form, first):
            find_status = make_status_reader(layout)
            count = sum(find_status(line) in _STATUSES for line in first)
            if 2 * count >= len(first) and _has_signs(form, first):
                return form
    return None


def describe_nearest(lines: Sequence[str], formats: Sequence[Format]) -> str:
    """
    Why the first line that is judged is not read: what it is instead or lacks, or else where
    reading failed in the nearest layout.
    """
    line = _judged(lines)[0]
    where = f"no format reads line {lines.index(line) + 1} of its first lines, {quote(line)}"
    if line.lstrip().startswith("{") and not isinstance(record := read_object(line), Malformed):
        missing = find_missing_keys(record)
        names = ",".join(f"{field}=KEY" for field in missing)
        keys = f": no key is known to be the {', '.join(missing)}; --json-keys {names} names them"
        return f"{where}{keys}" if missing else where
    if lack := _describe_lack(line):
        return f"{where}: {lack}"
    nearest, reached = None, 0
    for form in formats:
        if isinstance(layout := form.layout, Layout) and _has_signs(form, [line]):
            steps = layout.needed()[: explain(layout, line)[0]]
            count = sum(step.field.kind in _TELLING for step in steps)
            if count > reached:
                nearest, reached = layout, count
    if nearest is None:
        return f"{where}: it may be a request, but no known layout is near"
    status = make_status_reader(nearest)(line)
    if status in _STATUSES:
        return (
            f"no format reads half of the requests in its first lines: {nearest.name} reads line "
            f"{lines.index(line) + 1}; if they are in several layouts, split the log by these"
        )
    if status is not None:
        where += f", as no server writes the status {quote(status)}"
    return (
        f"{where}: {explain(nearest, line)[1]}, in the nearest layout, {nearest.name}: "
        f"{excerpt(nearest.show(), 300)}"
    )


def _describe_lack(line: str) -> str:
    """Why a line can't be that of an access log; "" if it can."""
    if "\0" in line:
        return "it is not text"
    if _ERROR.search(line):
        return "it is of an error log; the requests are in the access log of the same server"
    lacking = [f"no {part}" for part, pattern in _PARTS.items() if not re.search(pattern, line)]
    if lacking:
        listed = " and ".join(filter(None, (", ".join(lacking[:-1]), lacking[-1])))
        return f"it has {listed}, as each line of an access log has"
    names = [name for name in ",;\t|" if line.count(name) >= len(_PARTS)]
    if names and not re.search(_REQUEST_LINE, line):
        example = names[0].join(("time", "method", "path", "status"))
        return f"if it is a row of a table, a line before it must name the columns: {example!r}"
    return ""
