"""A fingerprint depends on the bytes that were handed out, not on their pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.sources.source import FINGERPRINT_BYTES, AllBytes, Fingerprint, LastBytes, Source
from tests.sources.texts import SHORT, Raw


def digest_pieces(fingerprint: Fingerprint, data: bytes, step: int) -> str:
    for place in range(0, len(data), step):
        fingerprint.add(data[place : place + step])
    return fingerprint.digest()


@pytest.mark.parametrize("make", [LastBytes, AllBytes])
@given(data=st.binary(max_size=20), times=st.integers(1, 1000), step=st.integers(100, 9000))
def test_the_pieces_make_no_difference(
    make: type[LastBytes | AllBytes], data: bytes, times: int, step: int
) -> None:
    assert digest_pieces(make(), data * times, step) == digest_pieces(make(), data * times, 2**20)


@pytest.mark.parametrize("step", [1, 100, 9999])
def test_a_pipe_is_recognised_by_all_bytes_and_a_file_by_the_last_ones(step: int) -> None:
    data = bytes(FINGERPRINT_BYTES)
    assert digest_pieces(LastBytes(), b"a" + data, step) == digest_pieces(LastBytes(), data, step)
    assert digest_pieces(LastBytes(), b"a" + data[1:], step) != digest_pieces(
        LastBytes(), data, step
    )
    assert digest_pieces(AllBytes(), b"a" + data, step) != digest_pieces(
        AllBytes(), b"b" + data, step
    )


LINES = st.lists(st.integers(0, 5 * SHORT).map(lambda length: b"x" * length), min_size=1)


@given(LINES, st.sampled_from([b"", b"\xef\xbb\xbf"]), st.integers(1, 60), st.booleans())
def test_a_resumed_source_has_the_fingerprint_of_the_one_that_stopped(
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
