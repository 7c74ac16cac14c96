"""`slomon replay`, called as a function: its output, its files and its exit code."""

from __future__ import annotations

import ast
import gzip
import io
import json
import os
import stat
import sys
from contextlib import suppress
from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

import slomon
from slomon.cli.main import main
from slomon.cli.process import BROKEN, FAILED, FINE, MISUSED, WRONG
from slomon.core.statuses import server_errors_fail
from slomon.files import in_use
from slomon.formats.registry import known_formats
from slomon.log_replay.checkpoint import remove_checkpoint
from slomon.log_replay.rejects import RejectsFile
from tests.cli.terminal import Terminal
from tests.histories import BROKEN as LOG
from tests.histories import ENTRY, broken, deploys, early, write

ANSWER = [
    360.0,
    {"GET /users": 1},
    {"GET /users": [{"start": 101.0, "end": 461.0, "fix": "c2", "break": "c1"}]},
]


def call(*arguments: str, level: str = "error") -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["replay", "--backend", "python", "--log-level", level, *arguments], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def literals(text: str) -> list[object]:
    return [ast.literal_eval(line) for line in text.splitlines()]


def test_a_pipe_gets_the_three_answers_each_as_a_literal_on_a_line(
    tmp_path: Path,
) -> None:
    code, out, err = call(broken(tmp_path), "--changes", deploys(tmp_path))

    assert (code, err) == (FINE, "")
    assert literals(out) == ANSWER


def test_json_is_one_object_with_the_accounting(tmp_path: Path) -> None:
    _, out, _ = call(broken(tmp_path), "--changes", deploys(tmp_path), "--json")
    answers = json.loads(out)

    names = ["mttr", "api_histogram", "incident_details", "accounting", "warnings"]
    assert list(answers) == ["outages", *names]
    assert list(answers.values())[1:4] == ANSWER
    (outage,) = answers["outages"]
    assert (outage["services"], outage["failures"]) == (["GET /users"], 1)
    assert outage["summary"].endswith("1 failed request and 333 times the run's error budget")
    assert answers["warnings"] == []
    names = [field.name for field in fields(slomon.ReplayAccounting)]
    assert list(answers["accounting"]) == [*names, "problems"]
    assert (answers["accounting"]["lines"], answers["accounting"]["records"]) == (3, 2)


def test_deploys_that_count_and_their_fields_are_options(tmp_path: Path) -> None:
    rows = "who,what,when,target\nana,c1,101,EU\nbob,c9,102,US\nbob,c2,300,EU-2\n"
    changes = write(tmp_path, "deploys.csv", rows)
    keys = "--change-keys", "author=who,commit=what,time=when,environment=target"
    environments = "--environment", "eu", "--environment", "eu-*"
    _, out, _ = call(broken(tmp_path), "--changes", changes, *keys, *environments, "--json")
    answers = json.loads(out)

    assert list(answers.values())[1:4] == ANSWER
    assert answers["accounting"]["excluded_by_reason"] == {"environment is US": 1}


def test_answers_and_records_go_to_files_and_nothing_to_stdout(tmp_path: Path) -> None:
    output, incidents = tmp_path / "answers", tmp_path / "incidents.jsonl"
    output.write_text("old", encoding="utf-8")
    output.chmod(0o640)
    files = "-o", str(output), "--incidents", str(incidents)
    code, out, _ = call(broken(tmp_path), "--changes", deploys(tmp_path), *files)

    assert (code, out) == (FINE, "")
    assert literals(output.read_text(encoding="utf-8")) == ANSWER
    assert stat.S_IMODE(output.stat().st_mode) == 0o640
    (record,) = map(json.loads, incidents.read_text(encoding="utf-8").splitlines())
    contract = {name: record[name] for name in ("start", "end", "fix", "break")}
    assert {"GET /users": [contract]} == ANSWER[2]
    assert (record["schema"], record["state"], record["duration"]) == (3, "closed", 360.0)
    (cause,) = record["broken_by"]["candidates"]
    assert cause.items() >= {"commit": "c1", "author": "ana", "age": 0.0, "delay": 0.0}.items()
    assert cause["date"] == "1970-01-01T00:01:41Z"
    (fix,) = (one for one in record["fixed_by"]["candidates"] if one["commit"] == "c2")
    assert fix.items() >= {"author": "bob", "age": 161.0}.items()
    assert cause["probability"] + record["broken_by"]["unexplained"] == 1


def test_the_record_of_an_open_incident_says_so(tmp_path: Path) -> None:
    incidents = tmp_path / "incidents.jsonl"
    call(write(tmp_path, "a.log", "1 GET / 500\n"), "--incidents", str(incidents))
    record = json.loads(incidents.read_text(encoding="utf-8"))

    assert (record["end"], record["duration"], record["state"]) == (-1, None, "open")
    assert (record["break"], record["fix"], record["fixed_by"]) == ("", "", None)
    assert record["broken_by"]["verdict"] == "none"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_records_come_in_the_form_that_the_name_of_their_file_says(
    form: str, tmp_path: Path
) -> None:
    incidents = tmp_path / f"incidents.{form}"
    assert call(broken(tmp_path), "--incidents", str(incidents))[0] == FINE
    assert incidents.read_bytes().startswith({"csv": b"id,service,", "parquet": b"PAR1"}[form])


def test_another_ending_is_rejected_before_anything_is_read(tmp_path: Path) -> None:
    code, _, err = call(broken(tmp_path), "--incidents", str(tmp_path / "incidents.xls"))
    assert (code, err) == (
        MISUSED,
        "error: option '--incidents': the file's name ends with '.xls'; allowed: .jsonl, .ndjson, "
        ".csv, .parquet\n",
    )
    code, _, err = call(broken(tmp_path), "--stale-after", "soon")
    assert code == MISUSED
    assert err.startswith("error: option '--stale-after': the duration is 'soon'; allowed: ")


def test_a_deploy_is_stale_if_it_is_older_than_stale_after(tmp_path: Path) -> None:
    incidents = tmp_path / "incidents.jsonl"
    for stale_after, is_stale in (("59s", True), ("61s", False)):
        options = "--changes", early(tmp_path), "--incidents", str(incidents)
        call(broken(tmp_path), *options, "--stale-after", stale_after)
        record = json.loads(incidents.read_text(encoding="utf-8"))
        assert (record["broken_by"]["unexplained"] == 1) is is_stale


def test_every_option_reaches_the_replay(tmp_path: Path) -> None:
    endpoints = write(tmp_path, "endpoints.json", json.dumps([ENTRY]))
    line = {"ts": "1970-01-01T00:01:40", "code": 500, "verb": "GET", "path": "/users"}
    logs = [write(tmp_path, name, json.dumps(line) + "\nbad\n") for name in "abc"]
    options = (
        *(*logs[1:], "--endpoints", endpoints),
        *("--json-keys", "time=ts,status=code,method=verb,path=path", "--zone", "+00:00"),
        *("--changes", deploys(tmp_path), "--change-zone", "UTC", "--service", "users"),
        *("--match", "template", "--lateness", "1m", "--min-requests", "3", "--workers", "2"),
        *("--resolution", "1s", "--rejects", str(tmp_path / "rejects"), "--no-progress"),
        *("--checkpoint", str(tmp_path / "state"), "--checkpoint-every", "1m", "--json"),
        *("--close-after-no-traffic", "1h", "--fail-status", "5xx", "--from", "5", "--to", "900"),
    )
    code, out, _ = call(logs[0], *options)
    accounting = json.loads(out)["accounting"]

    assert code == FINE
    assert (accounting["accesses"], accounting["changes"], accounting["rejected"]) == (3, 2, 3)
    assert json.loads(out)["api_histogram"] == {"users": 1}
    rejects = (tmp_path / "rejects").read_text(encoding="utf-8").splitlines()
    assert {json.loads(record)["file"] for record in rejects} == set(logs)


def test_an_expired_incident_is_reported_and_not_in_the_mttr(tmp_path: Path) -> None:
    log = write(tmp_path, "access.log", "0 GET /a 500\n700 GET /b 200\n")
    incidents = tmp_path / "incidents.jsonl"
    _, out, _ = call(log, "--close-after-no-traffic", "10m", "--incidents", str(incidents))
    detail = {"start": 0.0, "end": 600.0, "fix": "", "break": ""}
    assert literals(out) == [0.0, {"GET /a": 1}, {"GET /a": [detail]}]
    record = json.loads(incidents.read_text(encoding="utf-8"))
    assert (record["state"], record["duration"], record["fixed_by"]) == ("expired", 600.0, None)
    assert literals(call(log)[1])[2] == {"GET /a": [detail | {"end": -1}]}


def test_found_endpoints_have_the_slo_and_the_window_asked_for(tmp_path: Path) -> None:
    log = broken(tmp_path)

    assert literals(call(log, "--slo", "50%")[1])[1] == {}
    assert literals(call(log, "--window", "2h", "--service", "shop")[1])[1] == {"shop": 1}
    pattern = r"(?P<time>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\S+)"
    assert literals(call(log, "--regex", pattern)[1])[0] == 360.0
    assert literals(call(log, "--format", "plain")[1])[0] == 360.0


def test_the_options_are_those_of_the_library_but_for_what_only_a_program_can_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="0"):
        call("--help")
    shown = capsys.readouterr().out

    not_options = {"is_failure", "on_rejected", "on_progress", "keep_checkpoint", "sli_series"}
    named = {"paths": "FILE"}
    for name in signature(slomon.replay).parameters.keys() - not_options:
        assert named.get(name, f"--{name.rstrip('_').replace('_', '-')}") in shown
    assert all(form.name in shown for form in known_formats(server_errors_fail))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: FILE"),
        (["--json-keys", "time"], "argument --json-keys: 'time' in 'time'; allowed: FIELD=KEY"),
        (
            ["--json-keys", "a=b,a=c"],
            "argument --json-keys: 'a=c' in 'a=b,a=c'; allowed: ",
        ),
        (["--fail-on", "x"], "argument --fail-on: invalid choice: 'x'"),
        (["--log-level", "x"], "argument --log-level: invalid choice: 'x'"),
        (["--form", "plain"], "unrecognized arguments: --form"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_allowed(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        call(*(["a.log"] if arguments else []), *arguments)

    assert caught.value.code == MISUSED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("slomon")
    assert f"error: {message}" in line


@pytest.mark.parametrize("value", ["two", "1e3", "0", "1_000", "9" * 5000])
@pytest.mark.parametrize("option", ["--workers", "--max-endpoints", "--min-requests"])
def test_a_wrong_number_is_one_line_that_says_what_is_allowed(
    tmp_path: Path, option: str, value: str
) -> None:
    code, out, err = call(broken(tmp_path), option, value)

    assert (code, out) == (MISUSED, "")
    (line,) = err.splitlines()
    assert line.startswith(f"error: option '{option}' is ")
    assert "; allowed: a whole number from 1 to " in line


def test_a_wrong_option_is_one_line_that_names_it(tmp_path: Path) -> None:
    code, out, err = call(broken(tmp_path), "--slo", "99.9")

    assert (code, out) == (MISUSED, "")
    assert err.startswith("error: option '--slo' is '99.9'; allowed: a share greater than 0 and at")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--min-requests", "0"], "option '--min-requests' is 0; allowed: a whole number from 1"),
        (["--from", "x"], "option '--from': the time is 'x'; allowed: a day, such as '2025-03-10'"),
        (["--to", "0"], "option '--to' is '0'; allowed: a time after 1970-01-01T00:00:00Z"),
        (["--fail-status", "600"], "option '--fail-status' is '600'; allowed: classes, statuses"),
        (["--match", "x"], "option '--match' is 'x'; allowed: 'exact', 'template'"),
        (["--json-keys", "tme=ts"], "option '--json-keys': the fields with a key are 'tme'; allow"),
        (["--regex", "x"], "option '--regex': the pattern's named groups are none; allowed: time"),
        (["--lateness", "5 m"], "option '--lateness': the duration is '5 m'; allowed: seconds"),
        (["--checkpoint-every", "0"], "option '--checkpoint-every' is '0'; allowed: a duration"),
        (["--change-zone", "x"], "option '--change-zone': the zone is 'x'; allowed: an IANA name"),
        (
            ["--checkpoint", "c", "--rejects", "/dev/null"],
            "options '--checkpoint' and '--rejects' are both given, and the latter is '/dev/null'",
        ),
        (["--endpoints", "-", "--slo", "1"], "options '--endpoints' and '--slo' are both given"),
        ([""], "option 'FILE' has ''; allowed: a path"),
    ],
)
def test_options_are_named_as_they_are_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(broken(tmp_path), *arguments)

    assert (code, out) == (MISUSED, "")
    assert err.startswith(f"error: {message}")


@pytest.mark.parametrize("option", ["--output", "--incidents", "--rejects", "--checkpoint"])
def test_a_log_is_never_overwritten(tmp_path: Path, option: str) -> None:
    log = broken(tmp_path)
    code, _, err = call(log, option, str(tmp_path / "." / "access.log"))

    assert code == MISUSED
    assert f"option '{option}' is " in err
    assert "which is read as well; allowed: a file of its own" in err
    assert Path(log).read_text(encoding="utf-8") == LOG


def test_two_outputs_are_two_files(tmp_path: Path) -> None:
    endpoints = write(tmp_path, "endpoints.json", json.dumps([ENTRY]))
    same = str(tmp_path / "same")
    arguments = broken(tmp_path), "--endpoints", endpoints, "-o", same, "--rejects", same
    code, _, err = call(*arguments)

    assert code == MISUSED
    assert "which is written as well" in err


def test_a_missing_file_is_reported_before_anything_is_written(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects"
    code, out, err = call("nowhere.log", "--rejects", str(rejects))

    assert (code, out) == (FAILED, "")
    assert err == "error: [Errno 2] No such file or directory: 'nowhere.log'\n"
    assert not rejects.exists()


def test_an_output_that_can_not_be_written_is_reported_before_the_replay(tmp_path: Path) -> None:
    code, _, err = call(broken(tmp_path), "-o", str(tmp_path / "no" / "where"), level="info")

    assert code == FAILED
    assert err == f"error: [Errno 2] No such file or directory: '{tmp_path / 'no' / 'where'}'\n"


@pytest.mark.parametrize("option", ["--output", "--incidents", "--rejects"])
def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path: Path, option: str) -> None:
    log = write(tmp_path, "a.log", "1 GET / 500\nbad\n")
    code, _, err = call(log, option, "/dev/full")

    assert code == FAILED
    assert err == "error: [Errno 28] No space left on device: '/dev/full'\n"


def test_a_full_disk_behind_stdout_is_reported(tmp_path: Path) -> None:
    stderr = io.StringIO()
    with (
        suppress(OSError),
        Path("/dev/full").open("w") as stdout,
    ):  # closing it raises the error again
        code = main(["replay", broken(tmp_path), "--log-level", "error"], stdout, stderr)

    assert code == FAILED
    assert stderr.getvalue() == "error: [Errno 28] No space left on device: 'standard output'\n"


def test_an_output_is_written_though_another_can_not_be(tmp_path: Path) -> None:
    output = tmp_path / "answers"
    code, stdout, stderr = call(broken(tmp_path), "--incidents", "/dev/full")
    assert (code, stdout.splitlines()[0]) == (FAILED, "360.0")
    assert stderr == "error: [Errno 28] No space left on device: '/dev/full'\n"

    code, _, _ = call(broken(tmp_path), "--incidents", "/dev/full", "-o", str(output))
    assert (code, output.read_text(encoding="ascii")[:5]) == (FAILED, "360.0")


def test_a_log_without_a_readable_line_is_certainly_wrong(tmp_path: Path) -> None:
    code, stdout, stderr = call(broken(tmp_path), "--format", "caddy")
    assert (code, stdout.splitlines()[0]) == (WRONG, "0.0")
    assert "could be read as an access; if the format is wrong, --log-format" in stderr


def test_a_certainly_wrong_answer_is_an_exit_code_and_a_warning_in_json(tmp_path: Path) -> None:
    seconds = [198, 199, *range(197, 100, -1)]
    backwards = "".join(f"{second} GET / 500\n" for second in seconds)
    log = write(tmp_path, "a.log", backwards)
    code, out, err = call(log, "--json", "--fail-on", "incidents", "--lateness", "5s")

    assert code == WRONG
    (warning,) = json.loads(out)["warnings"]
    assert (warning["code"], warning["certain"]) == ("newest_first", True)
    assert err.count("newest_first") == 1


def test_an_answer_that_may_be_wrong_is_a_warning_and_a_success(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "100 GET / 200\n200 GET / 200\n8.5 GET / 200\n")
    code, out, err = call(log, "--json", "--lateness", "5s", level="warning")

    assert code == FINE
    (warning,) = json.loads(out)["warnings"]
    assert (warning["code"], warning["certain"]) == ("late_accesses", False)
    assert err.count("late_accesses") == 1


def test_the_statuses_that_fail_can_be_listed(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", LOG.replace("500", "404"))
    _, out, _ = call(log, "--json")
    assert json.loads(out)["api_histogram"] == {}
    _, out, _ = call(log, "--json", "--fail-status", "5xx,404")
    assert json.loads(out)["api_histogram"] == {"GET /users": 1}


def test_a_time_range_is_given_by_its_ends(tmp_path: Path) -> None:
    _, out, _ = call(broken(tmp_path), "--json", "--from", "101", "--to", "1970-01-01T00:02:00Z")
    accounting = json.loads(out)["accounting"]
    assert (accounting["accesses"], accounting["excluded_by_reason"]) == (1, {"out_of_range": 2})


def test_an_unknown_option_is_reported_by_its_verb(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=str(MISUSED)):
        call(broken(tmp_path), "--bogus")
    message = "slomon replay: error: unrecognized arguments: --bogus (see slomon replay --help)\n"
    assert capsys.readouterr().err == message


def test_what_fails_leaves_outputs_as_they_were(tmp_path: Path) -> None:
    output = tmp_path / "answers"
    output.write_text("old", encoding="utf-8")
    log = write(tmp_path, "a.log", "1 GET / 500\nbad\n")
    code, _, err = call(log, "--strict", "-o", str(output))

    assert code == FAILED
    assert err.startswith(f"error: {log}, line 2: it has fields: 1; allowed: ")
    assert err.endswith(": 'bad'\n"), "the line is shown"
    assert output.read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "answers"]


def test_a_checkpoint_is_gone_once_the_answers_are_written(tmp_path: Path) -> None:
    log, state = broken(tmp_path), tmp_path / "state"
    kept = call(log, "--checkpoint", str(state), "--checkpoint-every", "1ns", "-o", "/dev/full")
    assert kept[0] == FAILED
    assert state.exists()

    assert call(log, "--checkpoint", str(state))[0] == FINE
    assert not state.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
@pytest.mark.parametrize("option", ["--checkpoint", "--rejects"])
def test_a_file_that_another_run_uses_is_refused_in_one_line(tmp_path: Path, option: str) -> None:
    log, path = broken(tmp_path), tmp_path / "shared"
    with in_use(path) if option == "--checkpoint" else RejectsFile(path):
        code, out, err = call(log, option, str(path), "-o", str(tmp_path / "answers"))

    assert (code, out) == (FAILED, "")
    assert err.count("\n") == 1
    assert "is in use by another process" in err
    assert err.endswith(f": '{path}'\n")
    assert not (tmp_path / "answers").exists()


def test_a_checkpoint_from_which_another_run_continues_is_left_to_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.touch()
    with in_use(state):
        remove_checkpoint(str(state))
    assert state.exists() == (sys.platform != "win32")
    remove_checkpoint(str(state))
    assert not state.exists()


@pytest.mark.parametrize("option", ["-o", "--incidents", "--report", "--checkpoint"])
def test_a_loop_of_links_is_refused_in_one_line(tmp_path: Path, option: str) -> None:
    log, link = broken(tmp_path), tmp_path / "link.csv"
    link.symlink_to(link)
    code, _, err = call(log, option, str(link))

    assert code == FAILED
    assert err.startswith("error: [Errno ")
    assert err.endswith(f": '{link}'\n")
    assert err.count("\n") == 1


def test_an_output_that_is_a_link_stays_one(tmp_path: Path) -> None:
    output, link = tmp_path / "answers", tmp_path / "link"
    link.symlink_to(output)
    call(broken(tmp_path), "-o", str(link))

    assert link.is_symlink()
    assert output.read_text(encoding="utf-8").startswith("360.0")


def test_incidents_are_an_exit_code_only_where_asked_for(tmp_path: Path) -> None:
    fine = write(tmp_path, "fine.log", "1 GET / 200\n")

    assert call(broken(tmp_path))[0] == FINE
    assert call(broken(tmp_path), "--fail-on", "incidents")[0] == BROKEN
    assert call(fine, "--fail-on", "incidents")[0] == FINE


def test_of_a_file_that_is_cut_off_the_good_part_is_printed_and_the_end_is_a_failure(
    tmp_path: Path,
) -> None:
    lines = "".join(f"{second} GET /users 200\n" for second in range(462, 9999))
    whole = gzip.compress((LOG + lines).encode())
    code, out, err = call(write(tmp_path, "a.log.gz", whole[:-40]))

    assert code == FAILED
    assert literals(out)[0] == 360.0
    assert "log.problem" in err
    assert "gzip" in err


def test_a_file_in_utf_16_is_reported(tmp_path: Path) -> None:
    code, out, err = call(write(tmp_path, "a.log", LOG.encode("utf-16")))

    assert (code, literals(out)) == (FAILED, [0.0, {}, {}])
    assert "it is UTF-16, not UTF-8" in err


def test_a_log_that_no_format_reads_is_a_wrong_configuration(tmp_path: Path) -> None:
    code, _, err = call(write(tmp_path, "a.log", "hello\x1b[2J\n"))

    assert code == MISUSED
    assert "a.log: no format reads line 1 of its first lines, 'hello\\x1b[2J': it has no " in err


def test_hostile_names_do_no_harm(tmp_path: Path) -> None:
    name = "\x1b[31m\u202e" + "x" * 10_000
    log = write(tmp_path, "\x1b[2J.log", f"1 GET /{name} 500\n1 GET /{name} 700\n1 GET / 200\n")
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["replay", "--backend", "python", log, "--json"], stdout, stderr)

    assert code == FINE
    assert stdout.getvalue().isascii()
    assert "\x1b" not in stdout.getvalue() + stderr.getvalue()
    assert max(map(len, stderr.getvalue().splitlines())) < 1000


def test_a_terminal_that_asks_for_json_gets_it(tmp_path: Path) -> None:
    with Terminal() as terminal:
        options = ["replay", "--backend", "python", broken(tmp_path), "--json"]
        main(options, terminal.stream, io.StringIO())

    assert json.loads(terminal.text)["mttr"] == 360.0


def test_standard_input_is_a_log_too(tmp_path: Path) -> None:
    kept = os.dup(0)
    with Path(broken(tmp_path)).open("rb") as log:
        os.dup2(log.fileno(), 0)
    try:
        _, out, _ = call("-")
    finally:
        os.dup2(kept, 0)
        os.close(kept)

    assert literals(out)[0] == 360.0
