"""`slomon.replay(...)`: what its options do, which values are rejected, what is reported."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import pickle
import re
from datetime import timedelta
from functools import partial
from inspect import signature
from itertools import permutations
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import slomon
from slomon import ConfigurationError, MalformedLineError, RejectedLine, SlomonError
from slomon.compiled import library
from tests.histories import BROKEN, ENTRY, broken, deploys, write


def replay(paths: Any, **options: Any) -> slomon.ReplayMonitor:
    return slomon.replay(paths, **{"backend": "python", **options})


def commits(monitor: slomon.ReplayMonitor) -> list[tuple[str, str, str]]:
    return [
        (name, detail["break"], detail["fix"])
        for name, details in monitor.incident_details().items()
        for detail in details
    ]


def test_a_log_and_deploys_are_all_it_takes(tmp_path: Path) -> None:
    monitor = replay(broken(tmp_path), changes=deploys(tmp_path))

    assert monitor.mttr() == 360.0
    assert commits(monitor) == [("GET /users", "c1", "c2")]
    assert (monitor.problems, monitor.rejections) == ([], [])
    assert isinstance(monitor, slomon.ServiceMonitor)


def test_only_deploys_that_happened_count(tmp_path: Path) -> None:
    text = (
        "sha,time,env,state\nc0,100.2,live,failed\nc1,100.1,eu,ok\nc2,100.3,qa,ok\nc3,300,eu,ok\n"
    )
    log, changes = broken(tmp_path), write(tmp_path, "deploys.csv", text)
    europe = replay(log, changes=changes, environment="eu")
    named = replay(
        log,
        changes=changes,
        environment=["eu", "QA"],
        change_keys={"author": "state"},
        checkpoint=tmp_path / "checkpoint",
    )
    production = replay(log, changes=changes)

    assert commits(europe) == [("GET /users", "c1", "c3")]
    assert europe.accounting.excluded_by_reason == {
        "environment is live": 1,
        "environment is qa": 1,
    }
    assert commits(named) == [("GET /users", "c2", "c3")]
    assert commits(production) == [("GET /users", "", "")]
    assert europe.warnings == []
    (warning,) = production.warnings
    assert warning.code == "excluded_deploys"
    assert warning.text == (
        "no deploy counts, all are excluded: environment is eu 2, status is failed 1, environment "
        "is qa 1; --environment (environment=) names the environments that count"
    )


def test_dates_of_deploys_without_a_time_are_warned_of(tmp_path: Path) -> None:
    changes = write(tmp_path, "deploys.csv", "sha,date\nc1,1970-01-01\nc2,1970-01-01T00:05:00Z\n")
    monitor = replay(broken(tmp_path), changes=changes, change_zone="UTC")

    (warning,) = monitor.warnings
    assert warning.code == "deploys_without_time"
    assert warning.text == "dates of deploys without a time: 1; they count from midnight"


def test_both_backends_and_any_number_of_workers_give_the_same(tmp_path: Path) -> None:
    log, changes = broken(tmp_path), deploys(tmp_path)
    plain = replay(log, changes=changes, workers=3)
    compiled = replay(log, changes=changes, backend="compiled")

    assert compiled.incident_details() == plain.incident_details()
    assert compiled.accounting == plain.accounting
    assert replay(log, changes=changes, backend="auto").accounting == plain.accounting


def test_a_missing_compiled_backend_is_an_error_only_if_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "load", lambda **_: None)

    assert replay(broken(tmp_path), backend="auto").mttr() == 360.0
    with pytest.raises(ConfigurationError, match=r"pip install 'slomon\[replay\]'"):
        replay(broken(tmp_path), backend="compiled")


def test_paths_may_be_of_any_kind_and_in_any_order(tmp_path: Path) -> None:
    lines = BROKEN.splitlines(keepends=True)
    logs = [write(tmp_path, f"{name}.log", line) for name, line in zip("bac", lines, strict=True)]
    for paths in permutations(logs):
        assert replay([Path(paths[0]), *paths[1:]]).mttr() == 360.0
        assert replay(paths).mttr() == 360.0


JUNK = {
    "first": ["junk", "a", "b"],
    "later": ["a", "junk", "b"],
    "behind blank lines": ["blank", "junk", "a", "b"],
    "in front of one that is cut off": ["a", "junk", "cut"],
}
TEXTS = {"junk": "<html>\n", "blank": "\n\n", "a": "1 GET /a 200\n", "b": "2 GET /b 200\n"}


@pytest.mark.parametrize("place", JUNK)
def test_a_log_in_no_known_format_is_a_problem_wherever_it_stands(
    tmp_path: Path, place: str
) -> None:
    for name, text in TEXTS.items():
        write(tmp_path, name, text)
    (tmp_path / "cut").write_bytes(gzip.compress(b"3 GET /c 200\n")[:-9])
    names = JUNK[place]
    found = replay([str(tmp_path / name) for name in names])

    junk, *others = sorted(found.problems, key=lambda problem: "junk: " not in problem)
    assert junk.startswith(f"{tmp_path}/junk: no format reads line 1 of its first lines, '<html>'")
    assert len(others) == ("cut" in names)
    assert found.accounting.accesses == sum(name in ("a", "b", "cut") for name in names)
    assert not found.complete


@pytest.mark.parametrize("names", [["junk"], ["junk", "blank"], ["blank", "junk"]])
def test_if_no_log_is_in_a_known_format_the_first_one_is_rejected(
    tmp_path: Path, names: list[str]
) -> None:
    for name in names:
        write(tmp_path, name, TEXTS[name])
    with pytest.raises(ConfigurationError, match="junk: no format reads line 1"):
        replay([str(tmp_path / name) for name in names])


def test_it_works_inside_a_running_loop(tmp_path: Path) -> None:
    async def inside() -> float:
        return replay(broken(tmp_path)).mttr()

    assert asyncio.run(inside()) == 360.0


@pytest.mark.parametrize("form", ["a file", "a list", "a generator"])
def test_endpoints_come_from_a_file_or_as_entries(tmp_path: Path, form: str) -> None:
    endpoints = {
        "a file": Path(write(tmp_path, "endpoints.json", json.dumps([ENTRY]))),
        "a list": [ENTRY],
        "a generator": (entry for entry in [ENTRY]),
    }[form]
    log = write(tmp_path, "a.log", BROKEN + "500 GET /other 200\n")
    monitor = replay(log, endpoints=endpoints)

    assert monitor.api_histogram() == {"users": 1}
    assert (monitor.accounting.unmatched, monitor.accounting.endpoints) == (1, 1)


def test_found_endpoints_are_alike_and_may_belong_to_one_service(tmp_path: Path) -> None:
    monitor = replay(broken(tmp_path), changes=deploys(tmp_path), service="shop", slo="99%")
    (incident,) = monitor.incidents

    assert commits(monitor) == [("shop", "c1", "c2")]
    assert (incident.endpoint.slo, incident.endpoint.window) == (0.99, 300_000_000_000)


def test_resources_are_templates_unless_they_are_to_be_exact(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET /users/7?x=1 500\n")
    entries = [{**ENTRY, "resource": "/users/{id}"}]

    assert replay(log, endpoints=entries).accounting.accesses == 1
    assert replay(log, endpoints=entries, match="template").accounting.accesses == 1
    assert replay(log, endpoints=entries, match="exact").accounting.accesses == 0


def test_lines_late_by_more_than_the_lateness_count_where_they_come(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET / 200\n9 GET / 200\n2 GET / 500\n")

    assert replay(log, lateness="7s").incidents[0].start == 2_000_000_000
    assert replay(log, lateness=0).incidents[0].start == 9_000_000_000


def test_windows_with_too_few_requests_are_not_judged(tmp_path: Path) -> None:
    assert replay(broken(tmp_path), min_requests=3).incidents == []


def test_is_failure_decides_which_requests_fail(tmp_path: Path) -> None:
    assert replay(broken(tmp_path), is_failure=lambda _: False).incidents == []


def test_malformed_lines_are_reported_kept_and_written(tmp_path: Path) -> None:
    long = "x" * 5000
    log = write(tmp_path, "a.log", f"1 GET / 200\n{long}\n" + "2 GET / 200\n" * 3)
    changes = write(tmp_path, "deploys.csv", "commit,date\nc1,1970-01-01T00:00:00Z\nc2,\n")
    reported: list[RejectedLine] = []
    rejects = tmp_path / "rejects.jsonl"
    monitor = replay(log, changes=changes, on_rejected=reported.append, rejects=rejects)

    assert [(line.file, line.line, line.text[:3]) for line in reported] == [
        (changes, 3, "c2,"),
        (log, 2, "xxx"),
    ]
    assert [len(line.text) for line in monitor.rejections] == [len(reported[0].text), 1000]
    written = [json.loads(line) for line in rejects.read_text(encoding="utf-8").splitlines()]
    assert [(one["file"], one["line"], one["text"]) for one in written] == [
        (line.file, line.line, line.text) for line in reported
    ]
    accounting = monitor.accounting
    assert (accounting.rejected, accounting.records, accounting.changes) == (2, 2, 1)
    assert accounting.lines + accounting.records == (
        accounting.accesses + accounting.changes + accounting.rejected
    )


def test_the_first_hundred_are_kept(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET / 200\n" * 200 + "bad\n" * 101)
    monitor = replay(log)

    assert (len(monitor.rejections), monitor.accounting.rejected) == (100, 101)


def test_strict_stops_at_the_first_malformed_line_or_record(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET / 200\n" * 3 + "bad\nworse\n")
    changes = write(tmp_path, "deploys.csv", "commit,date\nc2,\n")

    with pytest.raises(MalformedLineError) as caught:
        replay(log, strict=True)
    error = caught.value
    assert (error.file, error.line, error.text) == (log, 4, "bad")
    assert str(error).startswith(f"{log}, line 4: it has fields: 1; allowed: ")
    assert isinstance(error, SlomonError)
    with pytest.raises(MalformedLineError, match=r"deploys\.csv, line 2: it has no date"):
        replay(log, changes=changes, strict=True)


def test_a_malformed_line_error_is_the_same_after_pickling() -> None:
    error = MalformedLineError("a.log", 7, "5 GET", "2 fields")
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is MalformedLineError
    assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_progress_is_reported_at_the_beginning_and_at_the_end(tmp_path: Path) -> None:
    reported: list[slomon.Progress] = []
    log = broken(tmp_path)
    size = Path(log).stat().st_size
    replay(log, on_progress=reported.append)

    assert (reported[0], reported[-1]) == (
        slomon.Progress(0, size, 0),
        slomon.Progress(size, size, 3),
    )


@pytest.mark.parametrize("hook", ["on_progress", "on_rejected", "is_failure"])
def test_an_exception_of_a_hook_is_raised_as_it_is(tmp_path: Path, hook: str) -> None:
    error = RuntimeError("mine")

    def fail(_: object) -> bool:
        raise error

    with pytest.raises(RuntimeError) as caught:
        replay(write(tmp_path, "a.log", "1 GET / 200\n1 GET / 200\nbad\n"), **{hook: fail})
    assert caught.value is error


def test_a_failure_while_progress_is_reported_is_raised_as_it_is(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET / 200\nbad\n")

    with pytest.raises(MalformedLineError) as caught:
        replay(log, strict=True, on_progress=lambda _: None)
    assert caught.value.__context__ is None


async def awaited(_: object) -> None: ...


class Awaited:
    """An async callable that `iscoroutinefunction` does not recognise by itself."""

    async def __call__(self, _: object) -> None: ...


Values: TypeAlias = tuple[object, ...]
NO_PATHS: Values = (5, b"a", "", "a\0b", "\ud800", {"a": "b"}, object())
NO_LISTS: Values = (*NO_PATHS, [], [5], [None], ["a\0b"])
NO_NUMBERS: Values = (0, -1, 1.0, "2", True, None, [], 2**64)
NO_DURATIONS: Values = (
    "",
    "5 m",
    " 5m",
    "5m ",
    "\u0665m",
    "1e3",
    -1,
    math.nan,
    math.inf,
    10**5000,
    b"5m",
)
NO_DURATIONS_AT_ALL: Values = (*NO_DURATIONS, True, [], object(), timedelta(minutes=5))
NO_FLAGS: Values = (None, 0, 1, "yes", [])
NO_FUNCTIONS: Values = (5, "f", [], awaited, partial(awaited), Awaited())
NO_TEXTS: Values = (5, b"x", "", [], object())
NO_ZONES: Values = (5, b"UTC", "", "Mars", "a\0b", "\ud800", "../UTC", [], "x" * 5000)
WRONG: dict[str, Values] = {
    "paths": (None, *NO_LISTS),
    "endpoints": (5, b"a", "", "a\0b", {"a": "b"}, [5], [None], object()),
    "slo": (0, -0.1, 1.1, "0.9 ", " 0.9", "90 %", "\u0661", "1_0%", math.nan, True, [], object()),
    "window": (0, "0s", *NO_DURATIONS_AT_ALL),
    "service": NO_TEXTS,
    "service_from": (5, "", "Host", [], object()),
    "group_paths": (5, None, True, "yes", []),
    "max_endpoints": NO_NUMBERS,
    "changes": NO_LISTS,
    "change_zone": NO_ZONES,
    "change_keys": (5, "commit=sha", {"sha": "commit"}, {"commit": 5}, [("commit", "sha")]),
    "environment": (5, b"prod", "", [], [""], [5], {"a": "b"}, object()),
    "format": (5, "tomcat", "", [], b"plain"),
    "log_format": (*NO_TEXTS, "x", "$status", "%>s", "@", "#Fields: time", "a,b,c"),
    "regex": (*NO_TEXTS, "(", "(?P<time>x)", "(?P<1>)"),
    "json_keys": (5, "time=ts", {}, {1: 2}, {"time": 5}, {"ts": "ts"}, [("time", "ts")]),
    "zone": NO_ZONES,
    "match": (5, "fuzzy", True, []),
    "lateness": NO_DURATIONS_AT_ALL,
    "min_requests": NO_NUMBERS,
    "resolution": NO_DURATIONS_AT_ALL,
    "close_after_no_traffic": NO_DURATIONS_AT_ALL,
    "from_": (b"2025", True, [], object(), "soon", "", math.nan, "2025-02-30", -1),
    "to": (b"2025", True, [], object(), "soon", "", math.inf, "2025-02-30", 0),
    "fail_status": (*NO_TEXTS, "6xx", "5xx,", "504-500", 500),
    "strict": NO_FLAGS,
    "is_failure": (None, *NO_FUNCTIONS),
    "on_rejected": NO_FUNCTIONS,
    "rejects": NO_PATHS,
    "checkpoint": NO_PATHS,
    "checkpoint_every": (0, None, *NO_DURATIONS_AT_ALL),
    "keep_checkpoint": NO_FLAGS,
    "sli_series": NO_FLAGS,
    "workers": (*NO_NUMBERS, 1025),
    "backend": (0, None, True, "yes"),
    "on_progress": NO_FUNCTIONS,
}


@pytest.mark.parametrize("option", signature(slomon.replay).parameters)
def test_every_option_rejects_wrong_values(tmp_path: Path, option: str) -> None:
    for value in WRONG[option]:
        options = {"paths": broken(tmp_path), option: value}
        with pytest.raises(ConfigurationError) as caught:
            replay(options.pop("paths"), **options)

        assert str(caught.value).startswith(f"option '{option}'"), value
        assert re.search("(is|are|has|have) .*; allowed: ", str(caught.value)), value
        assert len(str(caught.value)) < 1000
    assert [path.name for path in tmp_path.iterdir()] == ["access.log"]


def test_a_strict_replay_rejects_a_wrong_hook_as_well(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="option 'on_rejected' is 5"):
        slomon.replay(broken(tmp_path), strict=True, on_rejected=5)  # type: ignore[arg-type]


SHARES = "a share greater than 0 and at most 1, such as 0.999, or a percentage with its sign"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("paths", [], "option 'paths' is empty; allowed: a path, or a list of paths"),
        ("paths", 5, "option 'paths' is 5; allowed: a path"),
        ("paths", [5], "option 'paths' has 5; allowed: a path"),
        ("changes", [], "option 'changes' is empty; allowed: a path"),
        ("slo", 99.9, f"option 'slo' is 99.9; allowed: {SHARES}"),
        ("slo", "0%", f"option 'slo' is '0%'; allowed: {SHARES}"),
        ("window", 0, "option 'window' is 0; allowed: a duration greater than 0"),
        ("window", "5 min", "option 'window': the duration is '5 min'; allowed: seconds, or"),
        ("service", "", "option 'service' is ''; allowed: text that is not empty"),
        ("max_endpoints", 0, "option 'max_endpoints' is 0; allowed: a whole number from 1 to"),
        ("change_zone", "Mars", "option 'change_zone': the zone is 'Mars'; allowed: an IANA name"),
        ("zone", "Mars", "option 'zone': the zone is 'Mars'; allowed: an IANA name"),
        ("format", "tomcat", "option 'format' is 'tomcat'; allowed: 'events', 'plain', 'vhost'"),
        ("log_format", "$status", "option 'log_format': the layout lacks the time ($time_local, "),
        ("regex", "(", "option 'regex': the pattern is '('"),
        ("regex", 5, "option 'regex' is 5; allowed: text"),
        ("json_keys", {"ts": "ts"}, "option 'json_keys': the fields with a key are 'ts'"),
        ("match", "fuzzy", "option 'match' is 'fuzzy'; allowed: 'exact', 'template'"),
        ("lateness", -1, "option 'lateness': the duration is '-1'; allowed: seconds"),
        ("min_requests", 0, "option 'min_requests' is 0; allowed: a whole number from 1 to"),
        ("resolution", "x", "option 'resolution': the duration is 'x'; allowed: seconds"),
        ("resolution", 0, "option 'resolution' is 0; allowed: a duration greater than 0"),
        ("resolution", "5m", "option 'resolution' is '5m'; allowed: a duration shorter than every"),
        ("strict", 1, "option 'strict' is 1; allowed: True, False"),
        ("is_failure", 500, "option 'is_failure' is 500; allowed: a plain function of a status"),
        ("on_rejected", 5, "option 'on_rejected' is 5; allowed: a plain function of a RejectedLin"),
        ("on_progress", awaited, "allowed: a plain function of a Progress"),
        ("checkpoint_every", 0, "option 'checkpoint_every' is 0; allowed: a duration greater"),
        ("workers", 0, "option 'workers' is 0; allowed: a whole number from 1 to 1024"),
        ("backend", 1, "option 'backend' is 1; allowed: 'auto', 'python', 'compiled'"),
        ("endpoints", 5, "option 'endpoints': the endpoints are 5; allowed: a list of dicts"),
        ("endpoints", [5], "option 'endpoints': entry 0: is 5; allowed: a dict"),
        ("endpoints", {}, "the endpoints are {}; allowed: a list of dicts"),
    ],
)
def test_a_wrong_option_is_named_with_its_value_and_what_is_allowed(
    tmp_path: Path, option: str, value: object, message: str
) -> None:
    options: dict[str, Any] = {"paths": broken(tmp_path), option: value}
    with pytest.raises(ConfigurationError) as caught:
        replay(options.pop("paths"), **options)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"endpoints": [], "slo": 0.9}, "'endpoints' and 'slo'"),
        ({"endpoints": [], "window": 5}, "'endpoints' and 'window'"),
        ({"endpoints": [], "group_paths": "off"}, "'endpoints' and 'group_paths'"),
        ({"endpoints": [], "max_endpoints": 5}, "'endpoints' and 'max_endpoints'"),
        ({"format": "plain", "regex": "x"}, "'format' and 'regex'"),
        ({"regex": "x", "json_keys": {}}, "'regex' and 'json_keys'"),
        ({"is_failure": bool, "fail_status": "5xx"}, "'is_failure' and 'fail_status'"),
        ({"log_format": "x", "regex": "x"}, "'log_format' and 'regex'"),
    ],
)
def test_options_that_exclude_each_other_are_named(
    tmp_path: Path, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        replay(broken(tmp_path), **options)

    assert str(caught.value) == f"options {named} are both given; allowed: one"


@pytest.mark.parametrize(
    ("option", "value", "needed"),
    [
        ("change_keys", {"commit": "sha"}, "changes"),
        ("change_zone", "UTC", "changes"),
        ("environment", "staging", "changes"),
        ("match", "exact", "endpoints"),
        ("checkpoint_every", "1m", "checkpoint"),
    ],
)
def test_an_option_without_effect_is_named_with_the_one_that_it_needs(
    tmp_path: Path, option: str, value: object, needed: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        replay(broken(tmp_path), **{option: value})

    assert str(caught.value) == (
        f"options '{option}' and '{needed}': the former has no effect without the latter; "
        "allowed: both, only the latter, or neither"
    )


def test_a_wrong_entry_is_reported_with_its_file(tmp_path: Path) -> None:
    endpoints = write(tmp_path, "endpoints.json", '[{"name": "users"}]')

    with pytest.raises(ConfigurationError) as caught:
        replay(broken(tmp_path), endpoints=endpoints)
    assert str(caught.value).startswith(f"{endpoints}: entry 0 ('users'): field 'verb' is missing")


@pytest.mark.parametrize("option", ["paths", "changes", "endpoints"])
def test_a_missing_file_is_reported_before_anything_is_read(tmp_path: Path, option: str) -> None:
    options: dict[str, Any] = {"paths": broken(tmp_path), option: "nowhere.json"}
    rejects = tmp_path / "rejects"

    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        replay(options.pop("paths"), **options, rejects=rejects)
    assert not rejects.exists()


def test_the_good_part_of_a_damaged_file_counts_and_the_problem_is_reported(tmp_path: Path) -> None:
    monitor = replay(write(tmp_path, "a.log.gz", b"\x1f\x8b\x08\x00"))

    assert len(monitor.problems) == 1
    assert monitor.problems[0].startswith(f"{tmp_path / 'a.log.gz'}: ")
    assert monitor.accounting.lines == 0
