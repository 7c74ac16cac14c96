"""`slomon report` and `--report`: the page is written whole or not at all."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any
from zlib import decompress

import pytest

from slomon.cli.main import main
from slomon.cli.process import BROKEN, FAILED, FINE, MISUSED
from slomon.cli.simulate import main as simulate
from tests.histories import broken, deploys, write

URL = "https://git.example.com/{commit}"
EXAMPLE = Path(__file__).parent.parent / "data" / "example"


def call(*arguments: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main([*arguments, "--backend", "python", "--log-level", "error"], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def read(page: Path) -> Any:
    found = re.search(r'id="data">([^<]*)<', page.read_text(encoding="utf-8"))
    assert found
    return json.loads(decompress(b64decode(found[1])))


def test_the_page_is_the_answer_and_nothing_is_printed(tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    options = "--changes", deploys(tmp_path), "--commit-url", URL, "--title", "My <run>"
    code, out, err = call("report", broken(tmp_path), *options, "-o", str(page))
    shown = read(page)

    assert (code, out, err) == (FINE, "", "")
    assert "<title>My &lt;run&gt;</title>" in page.read_text(encoding="utf-8")
    assert shown["commitUrl"] == URL
    assert shown["overall"]["repair.mean"] == [360]
    assert {"c1", "c2", "ana", "bob", "/users"} <= set(shown["texts"])


def test_a_replay_writes_the_same_page_beside_its_answers(tmp_path: Path) -> None:
    page, other = tmp_path / "out.html", tmp_path / "other.html"
    inputs = broken(tmp_path), "--changes", deploys(tmp_path), "--stale-after", "160s"
    code, out, _ = call("replay", *inputs, "--report", str(page))
    call("report", *inputs, "-o", str(other))

    assert (code, out.splitlines()[0]) == (FINE, "360.0")
    assert page.read_bytes() == other.read_bytes()


def test_a_wrong_option_of_a_page_is_reported_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a message shortens a long path
    log, page = Path(broken(tmp_path)).name, "out.html"
    for arguments, message in (
        (("replay", log, "--commit-url", URL), "option '--commit-url' is given without a report"),
        (("replay", log, "--title", "A"), "option '--title' is given without a report; allowed: "),
        (("report", log, "-o", page, "--commit-url", "x"), "option '--commit-url' is 'x'; allowed"),
        (("report", log, "-o", page, "--title", ""), "option '--title' is ''; allowed: text"),
        (("report", log, "-o", page, "--stale-after", "x"), "option '--stale-after': the duration"),
        (("report", log, "-o", log), f"option '--output' is '{log}', which is read as well"),
        (("replay", log, "--report", log), f"option '--report' is '{log}', which is read as well"),
    ):
        code, out, err = call(*arguments)
        assert (code, out) == (MISUSED, "")
        assert err.startswith(f"error: {message}")
        assert not Path(page).exists()


def test_a_page_that_can_not_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    page.write_text("old", encoding="utf-8")
    log = write(tmp_path, "a.log", "1 GET / 500\nnonsense\n")
    code, _, _ = call("report", log, "-o", str(page), "--strict")
    gone = str(tmp_path / "gone" / "out.html")

    assert code == FAILED
    assert page.read_text(encoding="utf-8") == "old"
    assert call("report", log, "-o", gone)[0] == FAILED


def test_incidents_and_exit_codes_are_those_of_a_replay(tmp_path: Path) -> None:
    page, incidents = tmp_path / "out.html", tmp_path / "incidents.jsonl"
    files = "-o", str(page), "--incidents", str(incidents)
    code, _, _ = call("report", broken(tmp_path), *files, "--fail-on", "incidents")

    assert code == BROKEN
    assert json.loads(incidents.read_text(encoding="utf-8"))["id"] in read(page)["incidents"]["id"]


def test_a_resumed_replay_writes_the_same_page(tmp_path: Path) -> None:
    log, checkpoint = broken(tmp_path), str(tmp_path / "checkpoint")
    page, other = tmp_path / "out.html", tmp_path / "other.html"
    call("report", log, "-o", str(page))
    options = "--checkpoint", checkpoint, "--checkpoint-every", "1us"
    assert call("report", log, "-o", "/dev/full", *options)[0] == FAILED
    assert Path(checkpoint).exists()
    call("report", log, "-o", str(other), *options)

    assert other.read_bytes() == page.read_bytes()
    assert not Path(checkpoint).exists()


def test_a_log_that_was_not_read_to_its_end_is_named_on_the_page(tmp_path: Path) -> None:
    import gzip  # noqa: PLC0415

    cut = gzip.compress(b"1 GET / 500\n" * 10_000)[:-20]
    page = tmp_path / "out.html"
    code, _, _ = call("report", write(tmp_path, "a.log.gz", cut), "-o", str(page))

    assert code == FAILED
    assert re.search(r'id="problems"[^>]*><li>[^<]*a\.log\.gz', page.read_text(encoding="utf-8"))


def simulated(*arguments: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    code = simulate(["--log-level", "error", *arguments], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def test_a_stream_has_a_page_too(tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    events, info = str(EXAMPLE / "events.jsonl"), str(EXAMPLE / "info.json")
    code, out, err = simulated("--events", events, "--info", info, "--report", str(page))

    assert (code, err) == (FINE, "")
    assert out == simulated("--events", events, "--info", info)[1]
    assert read(page)["overall"]["incidents"] == [2]


@pytest.mark.parametrize("option", ["--report", "--incidents"])
def test_no_other_output_goes_where_the_answers_are_printed(tmp_path: Path, option: str) -> None:
    log, page = broken(tmp_path), tmp_path / "printed"
    more = "--backend", "python", "--log-level", "error"
    with page.open("w+", encoding="utf-8") as stdout:
        stderr = io.StringIO()
        code = main(["replay", log, option, str(page), *more], stdout, stderr)
        assert (code, page.read_text(encoding="utf-8")) == (MISUSED, "")
        assert stderr.getvalue() == (
            f"error: option '{option}' is '{page}', where the answers are printed; allowed: a "
            "file of its own\n"
        )
        others = "-o", str(tmp_path / "answers"), option, str(page)
        assert main(["replay", log, *others, *more], stdout, stderr) == FINE
    with Path("/dev/null").open("w", encoding="utf-8") as stdout:
        assert main(["replay", log, option, "/dev/null", *more], stdout, stderr) == FINE


@pytest.mark.parametrize("option", ["--report", "--incidents", "--output"])
def test_an_empty_path_is_wrong_usage(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        call("replay", broken(tmp_path), option, "")
    assert exit_.value.code == MISUSED
    assert re.search(rf"argument .*{option}: ''; allowed: a path", capsys.readouterr().err)


def test_a_stream_has_no_page_where_its_answers_are_printed(tmp_path: Path) -> None:
    page, stderr = tmp_path / "printed", io.StringIO()
    with page.open("w", encoding="utf-8") as stdout:
        code = simulate(["--max-events", "5", "--report", str(page)], stdout, stderr)
    assert code == MISUSED
    assert "where the answers are printed" in stderr.getvalue()


def test_a_stream_keeps_its_own_files(tmp_path: Path) -> None:
    events, info = write(tmp_path, "events", ""), write(tmp_path, "info", "[]")
    code, _, err = simulated("--events", events, "--info", info, "--report", info)
    assert (code, err.split(";")[0]) == (
        MISUSED,
        f"error: option '--report' is '{info}', which is read as well",
    )
    assert simulated("--commit-url", URL)[2].startswith("error: option '--commit-url' is given")


@pytest.mark.parametrize("verb", ["replay", "report"])
def test_help_names_the_options_of_the_page(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([verb, "--help"], io.StringIO(), io.StringIO())
    assert "--commit-url URL" in capsys.readouterr().out
