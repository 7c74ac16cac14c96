"""`slomon demo`: the answer is what was planted in the logs, and no other file is touched."""

from __future__ import annotations

import ast
import gzip
import io
import json
import re
import shlex
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from slomon import example_logs
from slomon.cli.main import main
from slomon.cli.process import FAILED, FINE, MISUSED
from tests.cli.terminal import Terminal
from tests.live_monitor.limits import files_end_at

pytestmark = pytest.mark.slow  # each writes and replays a day of logs

WINDOW: Final = 600  # seconds, as the demo has it
LATE: Final = 240  # seconds until enough requests have failed


make_day: Final = cache(example_logs.make_day)
"""Each day is made once; the demo gets it, too."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(example_logs, "make_day", make_day)
    return tmp_path


def call(*arguments: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["demo", "--log-level", "error", *arguments], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def answers(text: str) -> list[Any]:
    """The three answers among the lines."""
    return [ast.literal_eval(line) for line in text.splitlines() if re.match(r"[\d{]", line)]


def written(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def find_command(text: str) -> list[str]:
    (command,) = re.findall("^  slomon (replay .*web-1.*)$", text, re.MULTILINE)
    return shlex.split(command)


@pytest.mark.parametrize("seed", [1337, 1, 2])
def test_the_answer_is_the_truth(folder: Path, seed: int) -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    assert main(["demo", "--seed", str(seed)], stdout, stderr) == FINE

    _, counted, details = answers(stdout.getvalue())
    deploy, outage = make_day(seed).faults

    assert counted == {"POST /checkout": 1, "GET /search": 1}
    for fault in (deploy, outage):
        (incident,) = details[fault.endpoint]
        assert fault.start <= incident["start"] <= fault.start + LATE
        assert fault.end <= incident["end"] <= fault.end + WINDOW
    (broken,) = details["POST /checkout"]
    assert (broken["break"], broken["fix"]) == (deploy.broken_by, deploy.fixed_by)
    assert (outage.broken_by, outage.fixed_by) == ("", "")
    assert (folder / "slomon-demo" / "report.html").stat().st_size > 100_000
    assert "warning" not in stderr.getvalue()


def test_the_command_that_is_shown_gives_the_same_answers() -> None:
    code, out, err = call()
    stdout = io.StringIO()

    assert (code, err) == (FINE, "")
    assert main([*find_command(out), "--log-level", "error"], stdout, io.StringIO()) == FINE
    assert answers(stdout.getvalue()) == answers(out)
    assert out.splitlines()[-1].startswith("  slomon replay /var/log/nginx/access.log* ")


def test_a_terminal_shows_what_happened_and_the_report_without_other_lines() -> None:
    with Terminal(columns=100) as out, Terminal() as err:
        assert main(["demo"], out.stream, err.stream) == FINE

    fault = make_day(1337).faults[0]
    bad, fix = fault.broken_by[:8], fault.fixed_by[:8]
    shown = without_colours(out.text)
    assert f"POST /checkout fails: {bad} broke it, {fix} fixed it" in shown
    assert re.search(rf"POST /checkout .* {bad} [0-9.]+ clear +{fix} [0-9.]+ clear", shown)
    assert re.search("GET /search .* no known change [0-9.]+ +recovered by itself", shown)
    # One line on the format of all logs, and nothing that the report says as well.
    assert without_colours(err.text).count("log.format_detected") == 1
    assert "replay.finished" not in err.text


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_the_logs_look_like_those_of_a_shop() -> None:
    files = make_day(1337).files
    logs = {
        name: (gzip.decompress(data) if name.endswith(".gz") else data).decode().splitlines()
        for name, data in files.items()
        if name != "deploys.json"
    }
    lines = [line for log in logs.values() for line in log]
    hours = Counter(line.partition("[")[2][12:14] for line in lines)
    statuses = Counter(re.findall('" ([0-9]{3}) ', "\n".join(lines)))

    assert sum(map(len, files.values())) < 6_000_000
    names = ("access.log", "access.log.1", "access.log.2.gz")
    assert {*logs} == {f"web-{number}/{name}" for number in (1, 2) for name in names}
    assert hours["15"] > 3 * hours["04"]
    assert min(statuses[status] for status in ("200", "304", "404", "500", "502", "503")) > 20
    for part in ("GET /healthz", "Googlebot", "/wp-login.php", "/products/1", "okhttp"):
        assert any(part in line for line in lines), part
    assert all(line.endswith('"') for line in logs["web-2/access.log"])
    assert len(logs["web-1/access.log"][0].split('"')) < len(logs["web-2/access.log"][0].split('"'))


def test_the_deploys_are_githubs_and_some_do_not_count() -> None:
    deploys = json.loads(make_day(1337).files["deploys.json"])
    states = [(one["environment"], one["statuses"][0]["state"]) for one in deploys]

    assert Counter(states) == {
        ("production", "success"): 3,
        ("production", "failure"): 1,
        ("staging", "success"): 2,
    }
    assert deploys == sorted(deploys, key=lambda one: one["created_at"], reverse=True)


def test_a_second_run_writes_the_same_and_another_seed_is_refused(folder: Path) -> None:
    assert make_day.__wrapped__(1337) == make_day(1337)
    first = call("day")
    before = written(folder)
    (folder / "day" / "web-1" / "access.log").unlink()  # as after a run that was ended early
    (folder / "day" / "report.html").unlink()

    assert call("day") == first
    assert written(folder) == before
    code, out, err = call("day", "--seed", "2")
    assert (code, out) == (MISUSED, "")
    assert "was not written by this demo; allowed: a folder that is new, empty, or" in err
    assert written(folder) == before


@pytest.mark.parametrize("name", ["deploys.json", "web-1/access.log", "notes.txt", "report.html"])
def test_the_files_of_others_are_not_touched(folder: Path, name: str) -> None:
    path = folder / "day" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine", encoding="utf-8")
    code, out, err = call("day")

    assert (code, out) == (MISUSED, "")
    assert err.startswith(f"error: '{Path('day', name)}' was not written by this demo; allowed: ")
    assert written(folder) == {f"day/{name}": b"mine"}


def test_hidden_files_may_lie_in_the_folder(folder: Path) -> None:
    (folder / "day" / ".git").mkdir(parents=True)
    (folder / "day" / ".git" / "config").touch()

    assert call("day")[0] == FINE


def test_a_file_in_place_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "day").write_text("mine", encoding="utf-8")

    assert call("day") == (
        MISUSED,
        "",
        "error: 'day' is a file; allowed: a folder that is new, empty, or written by slomon demo "
        "with the same seed\n",
    )
    code, _, err = call("day/in")
    assert (code, err) == (FAILED, "error: [Errno 20] Not a directory: 'day/in/web-1'\n")


def test_a_full_disk_is_named_and_the_next_run_completes_the_folder(folder: Path) -> None:
    with files_end_at(100_000):
        code, out, err = call("day")

    assert (code, out) == (FAILED, "")
    assert re.fullmatch(r"error: \[Errno 27\] File too large: 'day/web-1/access.log'\n", err)
    assert written(folder) == {}
    assert call("day")[0] == FINE


def test_a_strange_name_is_shown_and_quoted(folder: Path) -> None:
    with Terminal(columns=100) as terminal:
        assert main(["demo", "a day\x1b[2J"], terminal.stream, io.StringIO()) == FINE
    code, out, _ = call("--", "-day")
    long = "x" * 200

    assert "\x1b[2J" not in terminal.text
    assert code == FINE
    assert find_command(out)[1] == "./-day/web-1"
    assert find_command(call(long)[1])[1] == f"{long}/web-1"
    assert {path.name for path in folder.iterdir()} == {"a day\x1b[2J", "-day", long}
