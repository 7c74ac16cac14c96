"""Arrays of JSON objects are read as lines."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.sources.json_values import split_values
from slomon.sources.peekable import PeekableStream

RECORDS = [{"a": 1, "b": {"c": 'x}]\\"{'}}, {"a": 2, "b": {}}, {"d": ["{", "\n"]}]


class _Slow(io.BytesIO):
    """A pipe that delivers a few bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self._most = most

    def readinto(self, view: memoryview, /) -> int:  # type: ignore[override] # a narrower buffer
        return super().readinto(view[: self._most])


def _read(data: bytes, most: int = 1 << 20) -> bytes:
    stream = split_values(PeekableStream(_Slow(data, most)))
    return bytes(stream.peek(1 << 24))


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("most", [1, 7, 1 << 20])
def test_each_object_of_an_array_is_a_line(indent: int | None, most: int) -> None:
    lines = _read(json.dumps(RECORDS, indent=indent).encode(), most).splitlines()
    assert [json.loads(line) for line in lines] == RECORDS


def test_indented_objects_one_after_the_other_are_lines() -> None:
    text = "\n".join(json.dumps(record, indent=2) for record in RECORDS)
    assert [json.loads(line) for line in _read(text.encode()).splitlines()] == RECORDS


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("most", [1, 7, 1 << 20])
@pytest.mark.parametrize("envelopes", [1, 2])
def test_each_record_in_an_envelope_is_a_line(
    indent: int | None, most: int, envelopes: int
) -> None:
    envelope = {"events": RECORDS, "searched": [{"name": "a"}, {"name": "b"}], "next": "f/3"}
    text = f"{json.dumps(envelope, indent=indent)}\n" * envelopes
    lines = _read(text.encode(), most).splitlines()
    assert [json.loads(line) for line in lines] == RECORDS * envelopes


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\n{"a": 2}\n',
        "[10/Mar/2025] x\n",
        "",
        "[",
        "{",
        "{\n",
        "{\nGET /a\n",
        "[1, 2]",
        '["a"] [b] c\n',
        '{"a": [1]}\n',
        '{"a": ["{"]}\n',
        '{"a": {"b": [{}]}}\n',
        '{"a": [',
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert _read(text.encode()) == text.encode()


def test_text_between_objects_and_a_cut_off_object_are_lines_too() -> None:
    assert _read(b'[{"a": 1}, 17,\n{"a": 2}, {"a": 3').splitlines() == [
        *(b'{"a": 1}', b"17", b'{"a": 2}', b'{"a": 3'),
    ]


def test_an_object_without_end_is_not_kept_in_memory() -> None:
    data = b'[{"a": "' + b"x" * (3 << 20)
    assert len(_read(data)) >= 3 << 20


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers(), max_size=3), min_size=1))
def test_any_objects_come_out_as_they_are(records: list[dict[str, object]]) -> None:
    lines = _read(json.dumps(records).encode(), 5).splitlines()
    assert [json.loads(line) for line in lines] == records
