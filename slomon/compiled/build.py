"""
Compile the kernels with Numba. Imported only if the cache has no image of them.

`_KERNELS` lists the entry points and the types of their arguments. An entry takes addresses and
whole numbers. Kernels that consist of many functions work on plain pointers, not on arrays, because
Numba would count references at each call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import FunctionType
from typing import Any, Final

import numpy as np
from llvmlite import binding as llvm
from llvmlite import ir
from numba import carray, cfunc, types
from numba.extending import intrinsic, overload, register_jitable

from slomon.compiled.cache import Image
from slomon.compiled.records import join_records
from slomon.kernels import (
    hash_table,
    json_lines,
    layout,
    line,
    reorder,
    request,
    resolve,
    route,
    scan,
    swar,
    table,
    times,
    windows,
    wrappers,
)
from slomon.kernels import sli_series as series_kernels
from slomon.kernels.windows import ENDPOINT, ENTRY

_WORD: Final = ir.IntType(64)
_INT: Final = ir.IntType(32)
_BYTE: Final = ir.IntType(8)
_WIDEST: Final = ir.VectorType(_BYTE, swar.WIDEST)
_B: Final = types.CPointer(types.uint8)  # a text
_C: Final = types.CPointer(types.int64)  # a column
_F: Final = types.CPointer(types.float64)
_CS: Final = types.CPointer(_C)  # columns
_FS: Final = types.CPointer(_F)
_N: Final = types.int64  # a number

_GROUP: Final = 64  # rows that are prefetched together
_MANY: Final = 10_000  # endpoints; so many records don't fit the processor's cache
_TAIL: Final = windows.WindowState._fields.index("tail")


@intrinsic
def _load(_: Any, text: Any, at: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        place = builder.gep(arguments[0], [arguments[1]])
        word = builder.load(builder.bitcast(place, _WORD.as_pointer()))
        word.align = 1
        return word

    return types.int64(text, at), generate


@intrinsic
def _trailing_zeros(_: Any, word: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(word), generate


@intrinsic
def _prefetch(_: Any, column: Any, at: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        place = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), _BYTE.as_pointer())
        kinds = ir.FunctionType(ir.VoidType(), [place.type, _INT, _INT, _INT])
        function = builder.module.declare_intrinsic("llvm.prefetch", [place.type], kinds)
        read, keep, data = (ir.Constant(_INT, number) for number in (0, 3, 1))
        builder.call(function, [place, read, keep, data])

    return types.void(column, at), generate


def _load_bytes(builder: Any, text: Any, at: Any, size: int) -> Any:
    vector = ir.VectorType(_BYTE, size)
    word = builder.load(builder.bitcast(builder.gep(text, [at]), vector.as_pointer()))
    word.align = 1
    return word


def _repeat(byte: int, size: int) -> Any:
    return ir.Constant(ir.VectorType(_BYTE, size), [byte] * size)


def _list_bits(builder: Any, found: Any) -> Any:
    """A word with the bit of each of 32 bytes that was found."""
    return builder.zext(builder.bitcast(found, ir.IntType(swar.WIDE)), _WORD)


def _spread(builder: Any, number: Any) -> Any:
    """A number in each of the widest bytes."""
    single = builder.insert_element(
        ir.Constant(_WIDEST, ir.Undefined), builder.trunc(number, _BYTE), ir.Constant(_INT, 0)
    )
    order = ir.Constant(ir.VectorType(_INT, swar.WIDEST), [0] * swar.WIDEST)
    return builder.shuffle_vector(single, ir.Constant(_WIDEST, ir.Undefined), order)


def _first_bytes(builder: Any, count: Any) -> Any:
    """Which of the widest bytes are among the first `count`, a bit for each."""
    order = ir.Constant(_WIDEST, list(range(swar.WIDEST)))
    return builder.icmp_unsigned("<", order, _spread(builder, count))


def _count_until(builder: Any, found: Any, size: int) -> Any:
    """How many bytes come before the first one whose bit is set."""
    if size == _WORD.width:
        bits = builder.bitcast(found, _WORD)
        return builder.cttz(bits, ir.Constant(ir.IntType(1), 0))
    ended = builder.or_(_list_bits(builder, found), ir.Constant(_WORD, 1 << size))
    return builder.cttz(ended, ir.Constant(ir.IntType(1), 1))  # without a branch: it's never zero


@intrinsic
def _special_bits(_: Any, text: Any, at: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        text, at = arguments
        word = _load_bytes(builder, text, at, swar.WIDE)
        quotes = builder.icmp_signed("==", word, _repeat(34, swar.WIDE))
        backslashes = builder.icmp_signed("==", word, _repeat(92, swar.WIDE))
        # As a signed number, a byte that is not ASCII is less than 0.
        others = builder.icmp_signed("<", word, _repeat(32, swar.WIDE))
        return _list_bits(builder, builder.or_(others, builder.or_(quotes, backslashes)))

    return types.int64(text, at), generate


@intrinsic
def _count_before(_: Any, text: Any, at: Any, byte: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        text, at, byte = arguments
        word = _load_bytes(builder, text, at, swar.WIDEST)
        found = builder.icmp_signed("==", word, _spread(builder, byte))
        return _count_until(builder, found, swar.WIDEST)

    return types.int64(text, at, byte), generate


@intrinsic
def _range_bits(_: Any, text: Any, at: Any, first: Any, last: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        text, at, first, last = arguments
        word = _load_bytes(builder, text, at, swar.WIDEST)
        from_first = builder.sub(word, _spread(builder, first))
        span = builder.sub(last, first)
        found = builder.icmp_unsigned("<=", from_first, _spread(builder, span))
        return builder.bitcast(found, _WORD)

    return types.int64(text, at, first, last), generate


@intrinsic
def _count_same(_: Any, text: Any, one: Any, other: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        text, one, other = arguments
        words = [_load_bytes(builder, text, at, swar.WIDE) for at in (one, other)]
        return _count_until(builder, builder.icmp_signed("!=", *words), swar.WIDE)

    return types.int64(text, one, other), generate


@intrinsic
def _count_path(_: Any, text: Any, at: Any, count: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        text, at, count = arguments
        word = _load_bytes(builder, text, at, swar.WIDEST)
        found = builder.icmp_signed("==", word, _repeat(63, swar.WIDEST))
        path = _count_until(builder, found, swar.WIDEST)
        return builder.select(builder.icmp_signed("<", path, count), path, count)

    return types.int64(text, at, count), generate


@intrinsic
def _hash_bytes(_: Any, text: Any, at: Any, count: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        text, at, count = arguments
        word = _load_bytes(builder, text, at, swar.WIDEST)
        word = builder.select(_first_bytes(builder, count), word, _repeat(0, swar.WIDEST))
        size = len(swar.KEYS)
        words = ir.VectorType(_WORD, size)
        word = builder.xor(builder.bitcast(word, words), ir.Constant(words, swar.KEYS))
        low = builder.and_(word, ir.Constant(words, [(1 << 32) - 1] * size))
        total = builder.mul(low, builder.lshr(word, ir.Constant(words, [32] * size)))
        while size > 1:
            size //= 2
            halves = [
                builder.shuffle_vector(
                    total, total, ir.Constant(ir.VectorType(_INT, size), list(places))
                )
                for places in (range(size), range(size, 2 * size))
            ]
            total = builder.add(*halves)
        return builder.extract_element(total, ir.Constant(_INT, 0))

    return types.int64(text, at, count), generate


@intrinsic
def _equal_texts(_: Any, text: Any, at: Any, other: Any, place: Any, count: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        text, at, other, place, count = arguments
        one = _load_bytes(builder, text, at, swar.WIDEST)
        two = _load_bytes(builder, other, place, swar.WIDEST)
        unequal = builder.and_(_first_bytes(builder, count), builder.icmp_signed("!=", one, two))
        bits = builder.bitcast(unequal, ir.IntType(swar.WIDEST))
        return builder.icmp_signed("==", bits, ir.Constant(bits.type, 0))

    return types.boolean(text, at, other, place, count), generate


@intrinsic
def _copy_wide(_: Any, text: Any, at: Any, into: Any, place: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        text, at, into, place = arguments
        word = _load_bytes(builder, text, at, swar.WIDE)
        target = builder.bitcast(builder.gep(into, [place]), word.type.as_pointer())
        builder.store(word, target, align=1)

    return types.void(text, at, into, place), generate


@overload(swar.special_bits, strict=False)
def _special_bits_of_bytes(text: Any, at: Any) -> Any:
    return lambda text, at: _special_bits(text, np.int64(at))


@overload(swar.count_until, strict=False)
def _count_until_byte(text: Any, at: Any, byte: Any) -> Any:
    return lambda text, at, byte: _count_before(text, np.int64(at), np.int64(byte))


@overload(swar.range_bits, strict=False)
def _range_bits_of_bytes(text: Any, at: Any, count: Any, first: Any, last: Any) -> Any:
    return lambda text, at, count, first, last: (
        _range_bits(text, np.int64(at), np.int64(first), np.int64(last))
        & ((np.int64(1) << np.int64(count)) - np.int64(1))
    )


@overload(swar.count_same, strict=False)
def _count_same_bytes(text: Any, one: Any, other: Any) -> Any:
    return lambda text, one, other: _count_same(text, np.int64(one), np.int64(other))


@overload(swar.count_path, strict=False)
def _count_path_bytes(text: Any, at: Any, count: Any) -> Any:
    return lambda text, at, count: _count_path(text, np.int64(at), np.int64(count))


@overload(swar.hash_bytes, strict=False)
def _hash_some_bytes(text: Any, at: Any, count: Any) -> Any:
    return lambda text, at, count: _hash_bytes(text, np.int64(at), np.int64(count))


@overload(swar.equal_texts, strict=False)
def _compare_bytes(text: Any, at: Any, other: Any, place: Any, count: Any) -> Any:
    return lambda text, at, other, place, count: _equal_texts(
        text, np.int64(at), other, np.int64(place), np.int64(count)
    )


@overload(swar.copy_wide, strict=False)
def _copy_bytes(text: Any, at: Any, into: Any, place: Any) -> Any:
    return lambda text, at, into, place: _copy_wide(text, np.int64(at), into, np.int64(place))


@overload(swar.prefetch, strict=False)
def _prefetch_number(column: Any, at: Any) -> Any:
    return lambda column, at: _prefetch(column, np.int64(at))


@overload(swar.load, strict=False)
def _load_word(text: Any, at: Any) -> Any:
    return lambda text, at: _load(text, np.int64(at))


@overload(swar.wrap, strict=False)
def _wrap(number: Any) -> Any:
    return lambda number: number  # machine arithmetic wraps by itself


@overload(swar.first_bit, strict=False)
def _first_bit(word: Any) -> Any:
    return lambda word: _trailing_zeros(word)  # noqa: PLW0108 (not an intrinsic itself)


_REPLACED: Final = (
    *(swar.load, swar.wrap, swar.first_bit, swar.prefetch),
    *(swar.special_bits, swar.count_until, swar.count_same, swar.copy_wide),
    *(swar.range_bits, swar.count_path, swar.hash_bytes, swar.equal_texts),
)


def _compilable() -> Iterator[Any]:
    """All functions of the kernels but those of `swar` that are replaced above."""
    yield series_kernels.merge
    yield series_kernels.sort
    for module in (
        windows,
        swar,
        times,
        line,
        request,
        layout,
        table,
        json_lines,
        wrappers,
        hash_table,
        scan,
        route,
        resolve,
        reorder,
    ):
        for function in vars(module).values():
            own = isinstance(function, FunctionType) and function.__module__ == module.__name__
            if own and function not in _REPLACED:
                yield function


@register_jitable
def _series(columns: Any, floats: Any, endpoint_count: int, bucket_count: int) -> Any:
    """The state of an SLI series, in the order of SeriesState: columns by their addresses."""
    return series_kernels.SeriesState(
        carray(columns[0], endpoint_count),
        carray(columns[1], endpoint_count),
        carray(columns[2], endpoint_count),
        carray(floats[3], endpoint_count),
        carray(columns[4], endpoint_count),
        carray(columns[5], bucket_count),
        carray(columns[6], bucket_count),
        carray(columns[7], bucket_count),
        carray(columns[8], bucket_count),
        carray(floats[9], bucket_count),
        carray(columns[10], 1),
        carray(columns[11], 1),
        carray(columns[12], 1),
        carray(columns[13], 1),
    )


@register_jitable
def _count_rows(
    state: Any,
    endpoints: Any,
    endpoint_count: int,
    entries: Any,
    columns: Any,
    numbers: Any,
    sli_series: Any,
) -> int:
    rows = len(columns[0])
    if endpoint_count < _MANY:
        return windows.advance(state, columns, numbers, sli_series)
    # With many endpoints the kernel mostly waits for memory. So the records of a group of rows are
    # prefetched: first those of their endpoints, then those of the newest entries of the endpoints.
    slots = columns[0]
    written = 0
    for first in range(0, rows, _GROUP):
        end = min(first + _GROUP, rows)
        for row in range(first, end):
            swar.prefetch(endpoints, slots[row] * ENDPOINT)
        for row in range(first, end):
            swar.prefetch(entries, endpoints[slots[row] * ENDPOINT + _TAIL] * ENTRY)
        part = (
            columns[0][first:end],
            columns[1][first:end],
            columns[2][first:end],
            columns[3][first:end],
        )
        written += windows.advance(state, part, numbers[written:], sli_series)
    return written


def _advance(
    endpoints: Any,
    endpoint_floats: Any,
    endpoint_count: int,
    excesses: Any,
    entries: Any,
    entry_count: int,
    next_block: Any,
    pool: Any,
    slots: Any,
    ticks: Any,
    failures: Any,
    positions: Any,
    rows: int,
    crossings: Any,
    sli_series: Any,
    series_floats: Any,
    bucket_count: int,
) -> Any:
    state = join_records(endpoints, excesses, entries, next_block, pool)
    columns = (
        carray(slots, rows),
        carray(ticks, rows),
        carray(failures, rows),
        carray(positions, rows),
    )
    numbers = carray(crossings, 2 * windows.CROSSING * rows)  # two for each row, if there is room
    if not bucket_count:
        return _count_rows(state, endpoints, endpoint_count, entries, columns, numbers, None)
    sli_series = _series(sli_series, series_floats, endpoint_count, bucket_count)
    return _count_rows(state, endpoints, endpoint_count, entries, columns, numbers, sli_series)


def _merge(
    sli_series: Any, series_floats: Any, endpoint_count: int, bucket_count: int, doublings: int
) -> int:
    return series_kernels.merge(
        _series(sli_series, series_floats, endpoint_count, bucket_count), doublings
    )


def _sort(sli_series: Any, series_floats: Any, endpoint_count: int, bucket_count: int) -> int:
    return series_kernels.sort(_series(sli_series, series_floats, endpoint_count, bucket_count))


def _mark(
    endpoints: Any,
    endpoint_floats: Any,
    endpoint_count: int,
    excesses: Any,
    entries: Any,
    entry_count: int,
    next_block: Any,
    pool: Any,
    slots: Any,
    count: int,
    marks: Any,
) -> int:
    state = join_records(endpoints, excesses, entries, next_block, pool)
    numbers = carray(marks, windows.MARKS * endpoint_count)
    return windows.mark(state, carray(slots, count), numbers)


def _expire(
    endpoints: Any,
    endpoint_floats: Any,
    endpoint_count: int,
    excesses: Any,
    entries: Any,
    entry_count: int,
    next_block: Any,
    pool: Any,
    slot: int,
    tick: int,
) -> int:
    state = join_records(endpoints, excesses, entries, next_block, pool)
    return windows.expire(state, slot, tick)


# The entry point of each kernel, and the types of its arguments. Each returns a whole number.
_KERNELS: Final = {
    "scan": (
        scan.scan,
        (_B, _N, _N, _B, _C, _C, _B, _C, _C, _C, _B, _C, _C, _C, _C, _N, _N, _C, _C, _B, _C),
    ),
    "unwrap": (wrappers.unwrap, (_B, _N, _N, _N, _C, _B, _C, _B, _C, _N)),
    "resolve": (resolve.resolve, (_B, _B, _C, _N, _N, _C, _C, _B, _C, _C, _B, _C)),
    "find_or_add": (resolve.find_or_add, (_B, _N, _C, _B, _C, _C)),
    "add_request": (resolve.add_request, (_B, _N, _N, _C, _B, _C)),
    "rehash": (hash_table.rehash, (_C, _N, _C, _N)),
    "enter": (reorder.enter, (_C, _C, _N, _N, _N, _C, _C, _N, _N, _C)),
    "cut": (reorder.cut, (_C, _N, _N, _N)),
    "merge_runs": (reorder.merge_runs, (_C, _C, _N, _N, _C, _C)),
    "count": (reorder.count, (_C, _N, _N, _N, _B, _C, _C)),
    "deal": (reorder.deal, (_C, _N, _N, _N, _C, _C, _C, _C, _C, _C, _C)),
    "mark": (_mark, (_C, _F, _N, _C, _C, _N, _C, _C, _C, _N, _C)),
    "advance": (
        _advance,
        (_C, _F, _N, _C, _C, _N, _C, _C, _C, _C, _C, _C, _N, _C, _CS, _FS, _N),
    ),
    "merge": (_merge, (_CS, _FS, _N, _N, _N)),
    "sort": (_sort, (_CS, _FS, _N, _N)),
    "expire": (_expire, (_C, _F, _N, _C, _C, _N, _C, _C, _N, _N)),
}


def build(machine: Any) -> Image:
    """Compile all kernels, for the processor of an LLVM target machine, into one object file."""
    for function in _compilable():
        register_jitable(error_model="numpy")(function)
    whole = llvm.parse_assembly("")
    kernels = {}
    references: set[str] = set()
    for name, (function, arguments) in _KERNELS.items():
        compiled = cfunc(_N(*arguments), error_model="numpy")(function)
        text = compiled.inspect_llvm()
        kernels[name] = compiled.native_name, len(arguments)
        references.update(re.findall(r"^declare .*?@\"?([^\"(]+)\"?\(", text, re.MULTILINE))
        whole.link_in(llvm.parse_assembly(text))
    references = {name for name in references if not name.startswith("llvm.")}
    return Image(machine.emit_object(whole), kernels, sorted(references))
