"""A log's format is the one that reads its first lines best, or the one that was forced."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from slomon.core.endpoints import Endpoint
from slomon.core.events import server_errors_fail
from slomon.endpoints.discovery import FoundRequests, NameList, Requests
from slomon.errors import ConfigurationError
from slomon.formats.registry import Format, known_formats, regex_format
from slomon.log_replay.detect import Recogniser
from tests.formats.lines import PREFIXES

FORMATS = known_formats(server_errors_fail)
COMBINED_FORMAT = next(form for form in FORMATS if form.name == "combined")
PLAIN = b"5 GET /a 200\n"
EVENT = PREFIXES[1] + b'5 GET /a 200"}\n'
COMBINED = b'192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 5\n'


class Recognised:
    """A recogniser, what it tells, and the requests that it hands out."""

    def __init__(self, exact: bool | None = None, formats: Sequence[Format] = FORMATS) -> None:
        self.told: list[tuple[str, str]] = []
        self.requests: dict[bool, Requests] = {
            way: FoundRequests(NameList(5), Endpoint("", "-", "", "", 0.9, 300))
            for way in (False, True)
        }
        self.recognise = Recogniser(
            formats,
            lambda *, exact: self.requests[exact],
            lambda *told: self.told.append(told),
            exact=exact,
        )


@pytest.mark.parametrize(
    ("head", "name", "prefix"),
    [
        (PLAIN, "plain", b""),
        (EVENT, "events", PREFIXES[1]),
        (COMBINED, "combined", b""),
        (b"\n  \n" + COMBINED * 2 + b"noise\n", "combined", b""),
        (PLAIN + b"\xff\n", "plain", b""),
        (PLAIN * 3 + EVENT, "plain", b""),
    ],
)
def test_a_log_is_in_the_format_that_reads_its_lines(head: bytes, name: str, prefix: bytes) -> None:
    recognised = Recognised()
    log = recognised.recognise("access.log", head, None)
    assert (log.name, log.format.name, log.prefix) == ("access.log", name, prefix)
    assert log.recognised
    assert recognised.told == [(log.name, log.format.name)]


@pytest.mark.parametrize(
    ("exact", "head", "compared_exactly"),
    [
        *((None, EVENT, True), (None, PLAIN, False)),
        *((True, PLAIN, True), (False, EVENT, False)),
    ],
)
def test_recorded_streams_are_exact_unless_it_was_said_what_all_are(
    exact: bool | None, head: bytes, compared_exactly: bool
) -> None:
    recognised = Recognised(exact)
    log = recognised.recognise("access.log", head, None)
    assert log.exact is compared_exactly
    assert log.requests is recognised.requests[compared_exactly]


def test_a_log_that_no_format_reads_is_refused_and_its_first_line_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Recognised().recognise("error.log", b"\n \nTraceback\x1b\n", None)
    assert str(caught.value) == (
        "error.log: no format reads its first lines, as 'Traceback\\x1b'; allowed: events, plain, "
        "combined, caddy, envoy, alb, which --format (format=) forces, or one of your own by "
        "--regex (regex=) or --json-keys (json_keys=)"
    )


def test_a_further_log_that_begins_with_noise_is_in_the_format_before_with_a_doubt() -> None:
    recognise = Recognised().recognise
    before = recognise("access.log.1", COMBINED, None)
    noisy, plain = recognise("access.log", b"Traceback\n", before), recognise("b", PLAIN, before)
    assert (noisy.format.name, plain.format.name) == ("combined", "plain")
    assert (before.doubt, plain.doubt) == (None, None)
    assert noisy.doubt is not None
    assert noisy.doubt.startswith(
        "no format reads its first lines, as 'Traceback', read as combined like the log before it; "
    )


def test_a_format_that_was_forced_is_not_asked_whether_it_reads_anything() -> None:
    recognise = Recognised(formats=[COMBINED_FORMAT]).recognise
    assert recognise("error.log", b"Traceback\n", None).format.name == "combined"


@pytest.mark.parametrize("head", [b"", b"\n \n"])
def test_a_log_of_which_no_line_can_be_read_is_not_recognised_yet(head: bytes) -> None:
    recognised = Recognised()
    log = recognised.recognise("access.log", head, None)
    assert not log.recognised
    assert recognised.told == []


def test_a_log_that_is_not_recognised_yet_hands_on_the_format_of_the_one_before() -> None:
    recognise = Recognised().recognise
    before = recognise("access.log.2", COMBINED, None)
    blank = recognise("access.log.1", b"\n", before)
    assert recognise("access.log", b"Traceback\n", blank).format.name == "combined"


def test_a_log_that_is_not_recognised_yet_lends_no_format_to_the_next_one() -> None:
    recognise = Recognised().recognise
    for blank in (
        recognise("access.log.1", b"\n", None),
        recognise.remake("access.log.1", recognise("", b"", None).format.name, exact=False),
    ):
        with pytest.raises(ConfigurationError, match=r"^access\.log: no format reads"):
            recognise("access.log", b"Traceback\n", blank)


def test_lines_end_at_newlines_and_nowhere_else() -> None:
    head = (PLAIN[:-1] + b"\r\n") * 2 + b"a\x0bb\x0cc\x85d\xe2\x80\xa8\x1ce\n" * 2
    assert Recognised().recognise("access.log", head, None).format.name == "plain"


def test_a_hundred_lines_are_needed_to_choose_and_one_where_there_is_no_choice() -> None:
    assert Recognised().recognise.needed == 100
    assert Recognised(formats=[COMBINED_FORMAT]).recognise.needed == 1


def test_a_log_of_a_saved_state_is_made_again_without_being_told() -> None:
    recognised = Recognised()
    log = recognised.recognise.remake("access.log", "combined", exact=True)
    assert (log.name, log.format.name, log.exact) == ("access.log", "combined", True)
    assert log.requests is recognised.requests[True]
    assert recognised.told == []


def test_a_format_of_the_users_own_may_be_the_only_one() -> None:
    pattern = r"(?P<time>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\d+) !"
    recognised = Recognised(formats=[regex_format(pattern, server_errors_fail)])
    log = recognised.recognise("access.log", b"5 GET /a 200 !\n", None)
    assert log.format.name == "regex"
