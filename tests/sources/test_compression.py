"""Compressed data reads as its text, whole or up to the damage."""

from __future__ import annotations

import sys
import tracemalloc
import zlib
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slomon.errors import ConfigurationError
from slomon.sources.compression import LIMIT, MAX_GZIP_TEXT, open_decompressed
from slomon.sources.peekable import PeekableStream
from tests.sources.texts import COMPRESS, TEXT, Raw, gzip_member
from tests.strategies import portion

SNAPPY = b"\xff\6\0\0sNaPpY"
LONGEST_MAGIC = 6  # damage in there makes a text of it
SKIPPABLE = b"\x5a\x2a\x4d\x18\x03\0\0\0abc"


@pytest.fixture(params=["igzip", "zlib"])
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run with both readers of gzip: igzip, and the standard library if igzip isn't installed."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal.igzip_lib", None)
    return str(request.param)


def read(data: bytes, step: int = 2**20, size: int = 2**16) -> tuple[bytes, str | None]:
    """The text of the data up to any damage, and the exception."""
    text = bytearray()
    view = memoryview(bytearray(size))
    try:
        stream = open_decompressed(PeekableStream(Raw(data, step)))
        while count := stream.readinto(view):
            text += view[:count]
    except (OSError, EOFError) as error:
        return bytes(text), str(error)
    return bytes(text), None


@pytest.mark.parametrize("name", COMPRESS)
@pytest.mark.parametrize("step", [1, 100, 2**20])
@pytest.mark.usefixtures("inflater")
def test_each_format_is_detected_by_its_first_bytes(name: str, step: int) -> None:
    assert read(COMPRESS[name](TEXT), step) == (TEXT, None)


@pytest.mark.parametrize("data", [b"", b"B\n", b"BZhosts", b"BZh0", b"\xfd7zX.", b"PK\3\4", TEXT])
def test_other_data_is_its_own_text(data: bytes) -> None:
    stream = PeekableStream(Raw(data))
    assert open_decompressed(stream) is stream
    assert read(data, step=1) == (data, None)


@pytest.mark.parametrize("name", COMPRESS)
@pytest.mark.usefixtures("inflater")
def test_members_follow_each_other_and_may_be_empty(name: str) -> None:
    compress = COMPRESS[name]
    data = compress(b"") + compress(TEXT) + compress(b"") + compress(b"more\n")
    assert read(data, step=7) == (TEXT + b"more\n", None)


@pytest.mark.parametrize("name", COMPRESS)
@pytest.mark.parametrize("padding", [1, 512, 300_000])
def test_zeros_after_a_member_are_padding(name: str, padding: int) -> None:
    data = COMPRESS[name](TEXT) + bytes(padding)
    assert read(data) == (TEXT, None)
    assert read(data + COMPRESS[name](b"more\n")) == (TEXT + b"more\n", None)


@pytest.mark.parametrize("name", COMPRESS)
@pytest.mark.usefixtures("inflater")
def test_other_data_behind_a_member_is_an_error(name: str) -> None:
    told = f"the {name} data is followed by something that is not {name}"
    for follows, step in product((b"certainly no member", b"\0\0.", b"x", SNAPPY), (1, 2**20)):
        found = read(COMPRESS[name](TEXT) + follows, step)
        assert found == (TEXT, told), (follows, step)


def test_a_member_of_another_format_does_not_follow() -> None:
    told = "the gzip data is followed by something that is not gzip"
    assert read(COMPRESS["gzip"](TEXT) + COMPRESS["zstd"](TEXT)) == (TEXT, told)


def test_skippable_frames_of_zstd_are_skipped() -> None:
    data = SKIPPABLE + COMPRESS["zstd"](TEXT) + SKIPPABLE
    assert read(data, step=3) == (TEXT, None)


@pytest.mark.parametrize(
    ("flags", "fields"),
    [
        (1, b""),
        (2, b"ab"),
        (4, b"\5\0extra"),
        (8, b"access.log\0"),
        (16, b"a comment\0"),
        (31, b"\0\0" + b"access.log\0" + b"\0" + b"ab"),
    ],
    ids=["text", "checksum", "extra", "name", "comment", "all"],
)
@pytest.mark.parametrize("step", [1, 2, 11, 2**20])
def test_the_optional_fields_of_a_gzip_header_are_skipped(
    flags: int, fields: bytes, step: int
) -> None:
    member = gzip_member(TEXT, flags=flags, fields=fields)
    assert read(member + member, step) == (TEXT + TEXT, None)


@pytest.mark.parametrize("flags", [8, 16], ids=["name", "comment"])
def test_a_text_in_a_gzip_header_is_bounded(flags: int) -> None:
    longest = gzip_member(TEXT, flags=flags, fields=b"x" * MAX_GZIP_TEXT + b"\0")
    assert read(longest) == (TEXT, None)

    raw = Raw(gzip_member(TEXT, flags=flags, fields=b"x" * 100 * MAX_GZIP_TEXT))
    with pytest.raises(OSError, match=f"longer name or comment; allowed: at most {MAX_GZIP_TEXT}"):
        open_decompressed(PeekableStream(raw)).peek()
    assert raw.reads == 1


def test_a_text_in_a_gzip_header_that_does_not_end_is_cut_off() -> None:
    member = gzip_member(b"", flags=8, fields=b"x" * 300)[:300]
    assert read(member) == (b"", "the gzip data is cut off")


class StoppedError(Exception):
    """Raised by a check, to end the reading."""


@pytest.mark.parametrize("name", COMPRESS)
def test_a_check_can_end_the_reading_of_members_without_text(name: str) -> None:
    def check() -> None:
        if raw.reads > 3:
            raise StoppedError

    member = SKIPPABLE if name == "zstd" else COMPRESS[name](b"")
    raw = Raw(member * 1000, step=200)
    stream = open_decompressed(PeekableStream(raw, check=check))
    with pytest.raises(StoppedError):
        stream.peek()
    assert raw.reads == 4


@pytest.mark.parametrize("place", [2, 3], ids=["method", "reserved flag"])
def test_an_unknown_gzip_header_is_damage(place: int) -> None:
    data = bytearray(COMPRESS["gzip"](TEXT))
    data[place] = 0xFF
    reason = "what stands where a member begins is no header"
    assert read(bytes(data)) == (b"", f"the gzip data is damaged: {reason}")


@pytest.mark.parametrize("place", [-8, -1], ids=["checksum", "length"])
@pytest.mark.usefixtures("inflater")
def test_a_wrong_checksum_is_an_error_after_the_text(place: int) -> None:
    data = bytearray(COMPRESS["gzip"](TEXT))
    data[place] ^= 1
    reason = "its checksum or length is another than that of its text"
    assert read(bytes(data)) == (TEXT, f"the gzip data is damaged: {reason}")


CUT = {name: compress(TEXT) + compress(TEXT) for name, compress in COMPRESS.items()}


@pytest.mark.parametrize("name", COMPRESS)
@given(data=st.data())
def test_a_cut_loses_nothing_before_it(name: str, data: st.DataObject) -> None:
    whole = CUT[name]
    cut = data.draw(st.integers(1, len(whole) - 1))
    assume(cut != len(whole) // 2)  # between the two members nothing is missing
    step = data.draw(st.sampled_from([1, 50, 2**20]))

    text, problem = read(whole[:cut], step)

    assert (TEXT + TEXT).startswith(text)
    assert problem == f"the {name} data is cut off"


@pytest.mark.slow
@pytest.mark.parametrize("content", [TEXT, bytes(2 * LIMIT)], ids=["lines", "zeros"])
@pytest.mark.usefixtures("inflater")
def test_a_cut_gzip_gives_what_zlib_can_find_in_it(content: bytes) -> None:
    whole = COMPRESS["gzip"](content)
    for cut in range(10, len(whole), len(whole) // 500):
        text, _ = read(whole[:cut])
        found = zlib.decompressobj(31).decompress(whole[:cut])
        assert found.startswith(text)
        assert len(found) - len(text) <= 1  # igzip may hold back one byte


@pytest.mark.parametrize("name", COMPRESS)
@given(place=st.floats(0, 1, exclude_max=True), step=st.sampled_from([10, 2**20]))
@settings(max_examples=portion(50))
def test_damage_is_always_an_error(name: str, place: float, step: int) -> None:
    data = bytearray(COMPRESS[name](TEXT))
    begin = LONGEST_MAGIC + int(place * (len(data) - LONGEST_MAGIC))
    data[begin : begin + 4] = bytes(byte ^ 0xA5 for byte in data[begin : begin + 4])

    text, problem = read(bytes(data), step)

    assert text == TEXT or problem is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPRESS)
@pytest.mark.usefixtures("inflater")
def test_memory_stays_flat_however_long_the_text_is(name: str) -> None:
    data = COMPRESS[name](bytes(64 * LIMIT))
    view = memoryview(bytearray(LIMIT))
    stream = open_decompressed(PeekableStream(Raw(data)))
    count = total = stream.readinto(view)
    tracemalloc.start()
    try:
        while count:
            count = stream.readinto(view)
            total += count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == 64 * LIMIT
    assert peak < 8 * LIMIT


def test_zstd_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    with pytest.raises(ConfigurationError) as caught:
        open_decompressed(PeekableStream(Raw(COMPRESS["zstd"](TEXT))))
    assert str(caught.value) == ("it is compressed by zstd; needed: pip install 'slomon[replay]'")
