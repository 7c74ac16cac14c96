"""
Layouts as servers write them in their own configuration: nginx's `log_format`, Apache's
`LogFormat`, and Envoy's format strings. They are told apart by their variables.

All become the notation of `layout.parse_layout`, with the usual names of the fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from slomon.errors import ConfigurationError
from slomon.formats.format import AnyLayout
from slomon.formats.layout import FIELDS, Kind, Layout, parse_layout
from slomon.formats.tables import given_table
from slomon.formats.times import find_time_form
from slomon.text import excerpt, quote

NAME: Final = "log_format"
"""The name of a layout that a user gives."""

_DIALECTS: Final = (
    "a log_format of nginx ($status), a LogFormat of Apache (%>s), a format of Envoy "
    "(%RESPONSE_CODE%), or @FILE with a configuration of nginx"
)


def read_given(text: str) -> list[AnyLayout]:
    """
    The layouts that a user gives: as text, or as `@FILE` or `@FILE:NAME` for those of nginx's
    configuration. Raises ConfigurationError, which says what is missing, or OSError if the file
    can't be read.
    """
    if text.startswith("@"):
        return _read_configuration(text[1:])
    return [parse_dialect(text)]


def parse_dialect(text: str, name: str = NAME) -> AnyLayout:
    """The layout that a text in any of the notations describes."""
    if table := given_table(text.strip()):
        return table
    if _ENVOY.search(text):
        return _parse(_from_envoy(text), name)
    if _APACHE.search(text):
        return _parse(_from_apache(text), name)
    if "$" in text:
        return _parse(_from_nginx(text), name)
    raise ConfigurationError(f"the layout is {quote(text)}; allowed: {_DIALECTS}")


def _parse(notation: str, name: str) -> Layout:
    try:
        return parse_layout(_join_skipped(_WHOLE_REQUEST.sub('"$request"', notation)), name)
    except ConfigurationError as error:
        raise ConfigurationError(f"{_name_missing(notation)}{error}") from None


def _name_missing(notation: str) -> str:
    found = {FIELDS[name].kind for name in re.findall(r"\$\{?(\w+)", notation) if name in FIELDS}
    missing = [shown for kinds, shown in _MISSING if not kinds & found]
    return f"the layout lacks {' and '.join(missing)}: " if missing else ""


_WHOLE_REQUEST: Final = re.compile(
    r'"\$\{?request_method\}? \$\{?(?:request_uri|uri)\}? \$\{?server_protocol\}?"'
)
_MISSING: Final = (
    (
        {Kind.TIME},
        "the time ($time_local, $time_iso8601 or $msec; %t; %START_TIME%)",
    ),
    ({Kind.STATUS}, "the status ($status; %>s; %RESPONSE_CODE%)"),
    (
        {Kind.REQUEST, Kind.METHOD, Kind.PATH},
        "the request ($request; %r; %REQ(:METHOD)% %REQ(:PATH)%)",
    ),
)


def _join_skipped(notation: str) -> str:
    """Fields without text between them as one field: only skipped ones can be joined."""

    def join(found: re.Match[str]) -> str:
        names = re.findall(r"\w+", found[0])
        return "${skipped}" if not any(name in FIELDS for name in names) else found[0]

    return re.sub(r"\$\{?\w+\}?(?:\$\{?\w+\}?)+", join, notation)


# nginx

_DIRECTIVE: Final = re.compile(
    r"\s*log_format\s+(?P<name>[^\s'\"]+)\s+(?:escape=(?P<escape>\w+)\s+)?"
)
_NGINX_PIECE: Final = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s;'"][^\s;]*)""")
_NGINX_URI: Final = re.compile(
    r"\$(?:scheme|\{scheme\})://\$(?:http_host|host|server_name)\$(?:request_uri|uri\$is_args\$args|uri)"
    r"|\$(?:uri|document_uri|request_uri)\$is_args\$(?:args|query_string)"
)


def _from_nginx(text: str) -> str:
    """The notation of the pieces in quotes that a `log_format` consists of, or of the bare text."""
    directive = _DIRECTIVE.match(text)
    rest = text[directive.end() :] if directive else text.strip()
    if directive or _is_quoted(rest):
        text = "".join(_unescape(piece) for piece in _NGINX_PIECE.findall(rest))
    return _NGINX_URI.sub("$request_uri", text)


def _is_quoted(text: str) -> bool:
    """Does the text consist of pieces in single quotes, as in a configuration file?"""
    return text.startswith("'") and text.rstrip("; \n").endswith("'")


def _unescape(piece: tuple[str, str, str]) -> str:
    return re.sub(r"\\(['\"\\])", r"\1", piece[0] or piece[1] or piece[2])


# Apache

_APACHE: Final = re.compile(r"%[<>]?(?:[a-zA-Z]|\{[^}]*\}[a-zA-Z])")
_APACHE_LINE: Final = re.compile(r'\s*(?:LogFormat|accesslog\.format\s*=)\s*"((?:[^"\\]|\\.)*)"')
_APACHE_FIELD: Final = re.compile(
    r"%(?:%|(?:!?[0-9,]+)?[<>]?(?:\{(?P<argument>[^}]*)\})?(?P<letter>\^t[io]|[a-zA-Z]))"
)
_APACHE_NAMES: Final[Mapping[str, str]] = {
    "h": "remote_addr", "a": "remote_addr", "l": "ident", "u": "remote_user", "r": "request",
    "s": "status", "b": "body_bytes_sent", "B": "body_bytes_sent", "O": "bytes_sent",
    "I": "bytes_received", "D": "duration_us", "T": "request_time", "m": "request_method",
    "U": "request_uri", "q": "args", "H": "server_protocol", "v": "server_name", "V": "host",
    "p": "server_port", "P": "pid", "X": "connection_status", "f": "filename", "k": "keepalive",
    "L": "log_id", "A": "server_addr", "R": "handler", "S": "bytes_total",
}  # fmt: skip
_UNITS: Final = {"s": "request_time", "ms": "duration_ms", "us": "duration_us"}
_SAMPLE: Final = datetime(2025, 3, 10, 12, 0, 0)


def _from_apache(text: str) -> str:
    line = _APACHE_LINE.match(text)
    if line:
        text = re.sub(r"\\(.)", r"\1", line[1])
    text = text.replace('\\"', '"').replace("\\t", "\t")
    tokens: list[tuple[str, str]] = []  # text before a field, and the field as written
    at = 0
    fields = list(_APACHE_FIELD.finditer(text))
    for found in fields:
        tokens.append((text[at : found.start()], found[0]))
        at = found.end()
    notation, number = "", 0
    while number < len(tokens):
        literal, _ = tokens[number]
        notation += literal.replace("$", "${dollar}")
        length, name = _apache_time(tokens, fields, number)
        if not length:
            length, name = 1, _apache_name(fields[number])
            if fields[number]["letter"] == "U" and number + 1 < len(fields):
                follows = fields[number + 1]
                length += follows["letter"] == "q" and tokens[number + 1][0] in ("", "?")
        notation += name
        number += length
    return notation + text[at:].replace("$", "${dollar}")


def _apache_name(found: re.Match[str]) -> str:
    letter, argument = found["letter"], found["argument"]
    if letter is None:
        return "%"
    if letter == "t":
        return "[${time_local}]"
    if letter == "T" and argument:
        return f"${{{_UNITS.get(argument, 'skipped')}}}"
    if letter == "i" and argument and argument.lower() in ("host", "x-forwarded-host"):
        return "${http_host}"
    if argument and letter not in ("s", "r"):
        return f"${{{re.sub('[^a-z0-9]', '_', argument.lower())}_{letter}}}"
    return f"${{{_APACHE_NAMES.get(letter, 'skipped')}}}"


def _apache_time(
    tokens: list[tuple[str, str]], fields: list[re.Match[str]], first: int
) -> tuple[int, str]:
    """
    How many fields from `first` on are one time, and its field. The times are written as a sample:
    the most of them that have a known form are the time.
    """
    sample, best = "", (0, "")
    for number in range(first, len(tokens)):
        written = _write_sample(fields[number])
        if written is None:
            break
        sample += (tokens[number][0] if number > first else "") + written
        form = find_time_form(sample)
        if form is not None:
            best = (number - first + 1, f"${{{_TIME_FIELDS[form.name]}}}")
    return best


_TIME_FIELDS: Final = {
    field.form: field.name for field in reversed(FIELDS.values()) if field.kind is Kind.TIME
}


def _write_sample(found: re.Match[str]) -> str | None:
    """A time as Apache writes it with a field `%{...}t`; None for another field."""
    if found["letter"] != "t" or not found["argument"]:
        return None
    argument = re.sub("^(?:begin|end):", "", found["argument"])
    known = {
        "sec": "1741608000", "msec": "1741608000250", "usec": "1741608000250000",
        "msec_frac": "250", "usec_frac": "250000",
    }  # fmt: skip
    return known.get(argument) or _SAMPLE.strftime(argument.replace("%z", "+0000"))


# Envoy

_ENVOY: Final = re.compile(r"%(?:START_TIME|REQ|RESP|RESPONSE_CODE|PROTOCOL|DURATION)\b")
_ENVOY_FIELD: Final = re.compile(r"%(?P<name>[A-Z_0-9]+)(?:\((?P<argument>[^)]*)\))?(?::[0-9]+)?%")
_ENVOY_NAMES: Final[Mapping[str, str]] = {
    "RESPONSE_CODE": "status",
    "DURATION": "duration_ms",
    "PROTOCOL": "server_protocol",
}
_ENVOY_HEADERS: Final[Mapping[str, str]] = {
    ":METHOD": "request_method",
    ":PATH": "request_uri",
    "X-ENVOY-ORIGINAL-PATH": "request_uri",
    ":AUTHORITY": "host",
    "HOST": "host",
}


def _from_envoy(text: str) -> str:
    notation, at = "", 0
    for found in _ENVOY_FIELD.finditer(text):
        notation += text[at : found.start()].replace("$", "${dollar}")
        notation += f"${{{_envoy_name(found['name'], found['argument'] or '')}}}"
        at = found.end()
    return notation + text[at:].rstrip("\n").removesuffix("\\n").replace("$", "${dollar}")


def _envoy_name(name: str, argument: str) -> str:
    if name == "START_TIME":
        return _envoy_time(argument)
    if name == "REQ":
        known = (_ENVOY_HEADERS.get(header.upper()) for header in argument.split("?"))
        return next((field for field in known if field), "skipped")
    return _ENVOY_NAMES.get(name, name.lower())


def _envoy_time(argument: str) -> str:
    sample = argument.strip('"')
    for written, digits in (("%3f", "250"), ("%6f", "250000"), ("%9f", "250000000"), ("%f", "250")):
        sample = sample.replace(written, digits)
    sample = sample.replace("%s", "1741608000").replace("%z", "+0000")
    form = find_time_form(_SAMPLE.strftime(sample)) if sample else None
    return _TIME_FIELDS[form.name] if form else "time_iso8601"


# nginx's configuration


def _read_configuration(place: str) -> list[AnyLayout]:
    """The layouts in a file of nginx's configuration and in those that it includes."""
    if not place:
        raise ConfigurationError(f"the layout is '@'; allowed: {_DIALECTS}")
    path, _, wanted = place.partition(":") if not Path(place).exists() else (place, "", "")
    Path(path).stat()
    read = _parse_file(path)
    found = dict(_list_formats(read))
    if not found:
        errors = [str(error.get("error", "")) for error in read.get("errors", [])]
        problem = f"is not read by nginx: {excerpt(errors[0], 300)}" if errors else "has none"
        raise ConfigurationError(f"{path} {problem}; allowed: a configuration with a log_format")
    if wanted and wanted not in found:
        names = ", ".join(sorted(found))
        raise ConfigurationError(f"the log_format is {quote(wanted)}; allowed: {names}")
    unfit: list[ConfigurationError] = []
    layouts: list[AnyLayout] = []
    for name in [wanted] if wanted else found:
        try:
            layouts.append(parse_dialect(found[name], name))
        except ConfigurationError as error:  # a log of streams, or of something else
            unfit.append(ConfigurationError(f"the log_format {quote(name)} of {path}: {error}"))
    if not layouts:
        raise unfit[0]
    return layouts


def _parse_file(path: str) -> Mapping[str, Any]:
    try:
        import crossplane  # noqa: PLC0415 (an extra)
    except ImportError:
        raise ConfigurationError(
            "a configuration of nginx is read by crossplane, which is not installed; needed: "
            "pip install 'slomon[nginx]'"
        ) from None
    read: Mapping[str, Any] = crossplane.parse(path, single=False, check_ctx=False)
    return read


def _list_formats(read: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for config in read.get("config", []):
        yield from _find_formats(config.get("parsed", []))


def _find_formats(directives: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for directive in directives:
        arguments = list(directive.get("args", []))
        if directive.get("directive") == "log_format" and arguments:
            name, *pieces = arguments
            pieces = [piece for piece in pieces if not piece.startswith("escape=")]
            yield name, "".join(pieces)
        yield from _find_formats(directive.get("block", []))
