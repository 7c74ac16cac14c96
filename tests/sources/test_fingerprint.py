"""A text is known by what was handed out of it, however that came in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.sources.source import REMEMBERED, AllBytes, Fingerprint, LastBytes, Source
from tests.sources.texts import SHORT, Raw


def summed_up(fingerprint: Fingerprint, data: bytes, step: int) -> str:
    for place in range(0, len(data), step):
        fingerprint.add(data[place : place + step])
    return fingerprint.sum_up()


@pytest.mark.parametrize("make", [LastBytes, AllBytes])
@given(data=st.binary(max_size=20), times=st.integers(1, 1000), step=st.integers(100, 9000))
def test_pieces_make_no_difference(
    make: type[LastBytes | AllBytes], data: bytes, times: int, step: int
) -> None:
    assert summed_up(make(), data * times, step) == summed_up(make(), data * times, 2**20)


@pytest.mark.parametrize("step", [1, 100, 9999])
def test_a_pipe_is_known_by_all_and_a_file_by_its_last_bytes(step: int) -> None:
    data = bytes(REMEMBERED)
    assert summed_up(LastBytes(), b"a" + data, step) == summed_up(LastBytes(), data, step)
    assert summed_up(LastBytes(), b"a" + data[1:], step) != summed_up(LastBytes(), data, step)
    assert summed_up(AllBytes(), b"a" + data, step) != summed_up(AllBytes(), b"b" + data, step)


LINES = st.lists(st.integers(0, 5 * SHORT).map(lambda length: b"x" * length), min_size=1)


@given(LINES, st.sampled_from([b"", b"\xef\xbb\xbf"]), st.integers(1, 60), st.booleans())
def test_a_source_that_goes_on_has_the_trail_of_the_one_that_stopped(
    lines: list[bytes], mark: bytes, step: int, file: bool
) -> None:
    text = mark + b"\n".join(lines)
    size = len(text) if file else None
    source = Source(Raw(text, step), "first", size, max_line=SHORT, resumable=True)
    while source.fill(bytearray(SHORT + 5)) is not None:
        other = Source(Raw(text, 7), "again", size, max_line=SHORT, resumable=True)
        if source.offset:
            other.skip(source.offset)
        assert (other.offset, other.fingerprint) == (source.offset, source.fingerprint)
