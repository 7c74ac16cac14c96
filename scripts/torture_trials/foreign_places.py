"""Places that others prepared: links, folders, long names, another user's cache, and limits."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from torture_trials.logs import replay, write_log
from torture_trials.processes import (
    SLOMON,
    Outcome,
    Problems,
    SkippedTrial,
    backends,
    check_answered,
    check_ended,
    check_no_leftovers,
    check_refused,
    run,
)

_LINES: Final = 1_000
_OPTIONS: Final = ("--output", "--incidents", "--report", "--rejects", "--checkpoint")
_NOBODY: Final = 65534
_BEFORE: Final = b"as it was before\n"
_MIB: Final = 1 << 20


def run_foreign(rng: Random, folder: Path) -> Problems:
    """Name outputs that are links, folders, or no possible names."""
    log = write_log(folder / "access.log", rng, _LINES)
    backend = rng.choice(backends())
    problems: Problems = []
    for number, case in enumerate((_link, _link_to_nowhere, _link_loop, _draft_link, _no_file)):
        place = folder / str(number)
        place.mkdir()
        found = case(rng, place, lambda *options: run(replay(log, *options, backend=backend)))
        problems += [f"{case.__name__.strip('_')}: {one}" for one in found]
    return problems


Replay = Callable[..., Outcome]


def _link(rng: Random, place: Path, answer: Replay) -> Problems:
    """A link stays one, and the file behind it gets the answer."""
    target, link = place / "target", place / "link"
    target.write_bytes(_BEFORE)
    link.symlink_to(target)
    outcome = answer(rng.choice(_OPTIONS[:4]), str(link))
    problems = check_answered(outcome)
    if not link.is_symlink() or target.read_bytes() == _BEFORE:
        problems.append(f"the link was replaced, or the file behind it stayed: {outcome}")
    return problems + check_no_leftovers(place, "target", "link")


def _link_to_nowhere(rng: Random, place: Path, answer: Replay) -> Problems:
    (place / "link").symlink_to(place / "target")
    outcome = answer(rng.choice(_OPTIONS[:4]), str(place / "link"))
    problems = check_answered(outcome)
    return problems + check_no_leftovers(place, "target", "link")


def _link_loop(rng: Random, place: Path, answer: Replay) -> Problems:
    (place / "a").symlink_to(place / "b")
    (place / "b").symlink_to(place / "a")
    problems: Problems = []
    for option in rng.sample(_OPTIONS, 3):
        problems += check_refused(answer(option, str(place / "a")), 1, 2)
    return problems + check_no_leftovers(place, "a", "b")


def _draft_link(rng: Random, place: Path, answer: Replay) -> Problems:
    """Somebody guessed the name of the temporary file: what its link leads to stays as it is."""
    victim = place / "victim"
    victim.write_bytes(_BEFORE)
    (place / ".target.slomon").symlink_to(victim)
    problems = check_ended(answer(rng.choice(_OPTIONS[:3]), str(place / "target")))
    if victim.read_bytes() != _BEFORE:
        problems.append("a file behind a link was overwritten")
    return problems


def _no_file(rng: Random, place: Path, answer: Replay) -> Problems:
    """A folder, a missing folder, names that are too long, and one of control characters."""
    (place / "folder").mkdir()
    (place / ".busy.slomon").mkdir()
    problems: Problems = []
    for name in ("folder", "missing/output", "n" * 250, "n" * 300, "busy", "new\nline/x"):
        outcome = answer(rng.choice(_OPTIONS), str(place / name))
        found = check_answered(outcome) if outcome.code == 0 else check_refused(outcome, 1, 2)
        problems += [f"'{name[:20]}': {one}" for one in found]
    return problems


def run_limits(rng: Random, folder: Path) -> Problems:
    """Leave a replay little memory, few descriptors or, as another user, no threads."""
    log = write_log(folder / "access.log", rng, 10 * _LINES)
    backend = rng.choice(backends())
    command = replay(log, "-o", str(folder / "output"), backend=backend)
    problems: Problems = []
    needed = _least_memory(log)
    for kind, value, name in (
        (resource.RLIMIT_AS, needed + rng.randrange(96 * _MIB), "bytes of memory"),
        (resource.RLIMIT_AS, needed + rng.randrange(8 * _MIB), "bytes of memory"),
        (resource.RLIMIT_NOFILE, rng.randint(5, 16), "descriptors"),
    ):
        outcome = run(command, preexec_fn=_limit(kind, value))
        found = check_answered(outcome) if outcome.code == 0 else check_refused(outcome, 1, 2)
        problems += [f"{value} {name}: {one}" for one in found]
    if _can_run_as_nobody(folder):
        limit = _limit(resource.RLIMIT_NPROC, rng.choice((0, 1)))
        outcome = run(replay(log, "--workers", "2"), preexec_fn=limit, **_as_nobody())
        found = check_answered(outcome) if outcome.code == 0 else check_refused(outcome, 1, 2)
        problems += [f"no threads: {one}" for one in found]
    return problems


def _limit(kind: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (value, value))


def _least_memory(log: Path) -> int:
    """Address space in which the command starts and shows its help."""
    low, high = 16, 512
    while high - low > 2:
        middle = (low + high) // 2
        limit = _limit(resource.RLIMIT_AS, middle * _MIB)
        fits = run([*SLOMON, "replay", str(log), "--help"], preexec_fn=limit).code == 0
        low, high = (low, middle) if fits else (middle, high)
    return high * _MIB


def run_read_only(rng: Random, folder: Path) -> Problems:
    """Write into a folder that is read-only."""
    log = write_log(folder / "access.log", rng, _LINES)
    place = folder / "read-only"
    place.mkdir()
    place.chmod(0o555)
    problems: Problems = []
    for option in _OPTIONS:
        command = replay(log, option, str(place / "target"))
        problems += check_refused(run([*_without_privileges(), *command]))
    return problems + check_no_leftovers(place)


def _without_privileges() -> Sequence[str]:
    """What is put in front of a command so that permissions hold for root as well."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise SkippedTrial("root can write anywhere, and there is no setpriv")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def _can_run_as_nobody(folder: Path) -> bool:
    """Is this root, and can others read the interpreter and the checkout?"""
    folder.chmod(0o755)
    with suppress(PermissionError):
        return os.geteuid() == 0 and run([*SLOMON, "--help"], **_as_nobody()).code == 0
    return False


def _as_nobody() -> dict[str, Any]:
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": [], "cwd": "/"}


def run_cache(rng: Random, folder: Path) -> Problems:
    """
    Plant an image of kernels that others could have written. Its digest is right and its code is
    not: whoever loads it crashes. It must be left alone: the answer is right.
    """
    if "compiled" not in backends():
        raise SkippedTrial("the compiled backend is not installed")
    images = _find_images()
    if not images:
        raise SkippedTrial("the cache of kernels is not where it is expected")
    log = write_log(folder / "access.log", rng, _LINES)
    whole = run(replay(log))
    problems = check_answered(whole)
    cases = ["a folder that all can write", "a file that all can write", "a link to such a file"]
    cases += ["another user's file", "another user's folder"] if os.geteuid() == 0 else []
    for number, case in enumerate(cases):
        cache = folder / str(number)
        variable = rng.choice(("SLOMON_CACHE", "XDG_CACHE_HOME"))
        environment = {"SLOMON_CACHE": "", variable: str(cache)}
        place = cache if variable == "SLOMON_CACHE" else cache / "slomon"
        place.mkdir(parents=True, mode=0o700)
        for image in images:
            (place / image.name).write_bytes(_spoil(image.read_bytes()))
            _expose(case, place / image.name)
        outcome = run(replay(log, backend="auto"), environment=environment)
        found = check_answered(outcome, whole.stdout)
        problems += [f"{case} in {variable} was loaded: {one}" for one in found]
    return problems


def _find_images() -> list[Path]:
    """The images in this user's cache: one is of this very code, now that it was compiled."""
    chosen, caches = os.environ.get("SLOMON_CACHE"), os.environ.get("XDG_CACHE_HOME")
    folder = Path(chosen) if chosen else Path(caches or Path.home() / ".cache") / "slomon"
    return sorted(folder.glob("*.kernels"))


def _spoil(image: bytes) -> bytes:
    """An image whose kernels have no code, with the right digest in front."""
    head, _, _ = image[hashlib.sha256().digest_size :].partition(b"\n")
    names = json.loads(head)
    body = json.dumps({**names, "references": []}).encode() + b"\n" + b"no object file" * 100
    return hashlib.sha256(body).digest() + body


def _expose(case: str, place: Path) -> None:
    """Give an image, which is right in a folder of its owner, an owner or mode that isn't."""
    if case == "a folder that all can write":
        place.parent.chmod(0o777)
    elif case == "a file that all can write":
        place.chmod(0o666)
    elif case == "a link to such a file":
        elsewhere = place.with_suffix(".elsewhere")
        place.rename(elsewhere)
        elsewhere.chmod(0o666)
        place.symlink_to(elsewhere)
    else:
        os.chown(place, _NOBODY, _NOBODY)
        if case == "another user's folder":
            os.chown(place.parent, _NOBODY, _NOBODY)
