"""Random worlds with known causes as logs, as a table, and as a stream, for Spark to read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from slomon.core.service_monitor import ServiceMonitor
from slomon.report.columns import incident_lines
from tests.worlds.drawing import draw_world
from tests.worlds.recording import Recording
from tests.worlds.world import EPOCH


@dataclass(frozen=True, slots=True)
class WorldFiles:
    """
    A world in a folder: `logs`, among which its accesses are dealt, with a few lines that are late;
    `log` with all of them in order; `table`, the same in no order; and its deploys.
    """

    options: dict[str, Any]
    logs: list[str]
    log: str
    table: str
    changes: str


def write_worlds(folder: Path, seeds: Sequence[int], *, finds: bool = False) -> WorldFiles:
    """
    Draw worlds that exist at the same time, and write them. The endpoints are given, or if `finds`
    they are found, and the deploys name no service.
    """
    random = Random(seeds[0])
    recordings = [Recording(draw_world(f"spark {seed}")) for seed in seeds]
    lines = sorted(
        (
            event["value"].replace(" /", f" /world{_spell(number)}/", 1)
            for number, recording in enumerate(recordings)
            for event in recording.events
            if event["type"] == "access"
        ),
        key=_read_time,
    )
    dealt: list[list[tuple[float, str]]] = [[] for _ in range(3)]
    for line in lines:
        random.choice(dealt).append((_read_time(line) + 7 * random.random(), line))
    logs = []
    for number, part in enumerate(dealt):
        text = "".join(f"{line}\n" for _, line in sorted(part)).encode()
        path = folder / f"{number}.log{'.gz' * (number == 1)}"
        path.write_bytes(gzip.compress(text, 1) if number == 1 else text)
        logs.append(str(path))
    log = folder / "all.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    changes = folder / "deploys.jsonl"
    changes.write_text(
        "".join(
            json.dumps(
                {
                    "commit": one.commit,
                    "author": "ana",
                    "deployed_at": datetime.fromtimestamp(EPOCH + one.time, UTC).isoformat(),
                }
                | ({} if finds else {"service": f"{one.service}-{number}"})
            )
            + "\n"
            for number, recording in enumerate(recordings)
            for one in recording.world.deploys
        )
    )
    numbered = list(enumerate(lines))
    random.shuffle(numbered)
    table = folder / "accesses.parquet"
    write_table(table, numbered)
    entries = [
        entry
        | {
            "name": f"{entry['name']}-{number}",
            "resource": f"/world{_spell(number)}{entry['resource']}",
        }
        for number, recording in enumerate(recordings)
        for entry in recording.get_info()
    ]
    options = {"slo": 0.98, "window": "3m", "max_endpoints": 5} if finds else {"endpoints": entries}
    return WorldFiles(options, logs, str(log), str(table), str(changes))


def _spell(number: int) -> str:
    """A number as a letter: paths with numbers are one endpoint."""
    return chr(ord("a") + number)


def _read_time(line: str) -> float:
    return float(line.split(maxsplit=1)[0])


def write_table(path: Path, lines: list[tuple[int, str]]) -> None:
    """Write a Parquet file of numbered plain lines."""
    import pyarrow as pa  # noqa: PLC0415 (an extra)
    from pyarrow import parquet  # noqa: PLC0415

    fields = [line.split(" ") for _, line in lines]
    times = [round(float(time) * 10_000) * 100 for time, *_ in fields]
    columns = {
        "time": pa.array(times, pa.timestamp("us", "UTC")),
        "method": [method for _, method, _, _ in fields],
        "path": [target for _, _, target, _ in fields],
        "status": [int(status) for *_, status in fields],
        "order": [number for number, _ in lines],
    }
    parquet.write_table(pa.table(columns), path, row_group_size=5_000)


def list_records(monitor: ServiceMonitor, *, with_ids: bool = True) -> list[str]:
    """The incidents of a run, as `slomon replay --incidents` writes them."""
    lines = list(incident_lines(monitor.records()))
    if with_ids:
        return lines
    return [json.dumps({**json.loads(line), "id": ""}) for line in lines]
