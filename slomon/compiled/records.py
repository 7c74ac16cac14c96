"""
The state of windows for Numba: the columns of a `WindowState`, which lie in records.

A column is a pointer to its number in the first record. Numba's arrays would do, but they count
references, and each index is compared with 0, since a negative one counts from the end.
"""

from __future__ import annotations

import operator
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

from slomon.kernels.windows import (
    DETAIL,
    DETAILS,
    ENDPOINT,
    ENDPOINT_COLUMNS,
    ENTRY,
    ENTRY_COLUMNS,
    WindowState,
)

_WORD: Final = ir.IntType(64)


class Column(types.Type):  # type: ignore[misc]
    """A column of 64-bit numbers, one in each record of `width` numbers."""

    def __init__(self, number: Any, width: int) -> None:
        super().__init__(f"Column({number}, {width})")
        self.number = number
        self.width = width


@register_model(Column)
class _ColumnModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, column: Column) -> None:
        number = manager.lookup(column.number).get_data_type()
        super().__init__(manager, column, number.as_pointer())


class Detail(Column):
    """
    A column of the detail records. It also has a pointer to the column of the endpoints' records
    that says which detail record an endpoint has.
    """

    def __init__(self, number: Any) -> None:
        super().__init__(number, DETAILS)
        self.name = f"Detail({number})"


@register_model(Detail)
class _DetailModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, column: Detail) -> None:
        number = manager.lookup(column.number).get_data_type()
        pointers = number.as_pointer(), _WORD.as_pointer()
        super().__init__(manager, column, ir.LiteralStructType(pointers))


@intrinsic
def join_records(
    _: Any, endpoints: Any, details: Any, entries: Any, next_block: Any, pool: Any
) -> Any:
    """The state of `CompiledWindows`, from pointers to its records."""
    kinds: list[Column] = []
    places = []
    for number, name in enumerate(WindowState._fields):
        source, first, width = _find_column(number)
        kind = types.float64 if name == "slo" else types.int64
        kinds.append(Detail(kind) if source == _DETAILS else Column(kind, width))
        places.append((source, first))
    state = types.NamedTuple(kinds, WindowState)

    def generate(context: Any, builder: Any, __: Any, arguments: Any) -> Any:
        columns = []
        for kind, (source, first) in zip(kinds, places, strict=True):
            place = builder.gep(arguments[source], [ir.Constant(_WORD, first)])
            wanted = context.get_value_type(kind)
            if isinstance(kind, Detail):
                place = builder.bitcast(place, wanted.elements[0])
                detail = builder.gep(arguments[0], [ir.Constant(_WORD, DETAIL)])
                pair = builder.insert_value(ir.Constant(wanted, ir.Undefined), place, 0)
                columns.append(builder.insert_value(pair, detail, 1))
            else:
                columns.append(builder.bitcast(place, wanted))
        return context.make_tuple(builder, state, columns)

    return state(endpoints, details, entries, next_block, pool), generate


_DETAILS: Final = 1  # the source of their columns


def _find_column(number: int) -> tuple[int, int, int]:
    """Which records have a column, its number in the first of them, and the length of each."""
    if number < DETAIL:
        return 0, number, ENDPOINT
    if number < ENDPOINT_COLUMNS:
        return _DETAILS, number - DETAIL, DETAILS
    if number < ENDPOINT_COLUMNS + ENTRY_COLUMNS:
        return 2, number - ENDPOINT_COLUMNS, ENTRY
    pool = ENDPOINT_COLUMNS + ENTRY_COLUMNS
    return (3, 0, 1) if number == pool else (4, number - pool - 1, 1)


@overload(operator.getitem, strict=False)
def _get_number(column: Any, record: Any) -> Any:
    if isinstance(column, Column):
        return lambda column, record: _get(column, np.int64(record))
    return None


@overload(operator.setitem, strict=False)
def _set_number(column: Any, record: Any, number: Any) -> Any:
    if isinstance(column, Column):
        return lambda column, record, number: _set(column, np.int64(record), number)
    return None


@intrinsic
def _get(_: Any, column: Any, record: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.load(_find(builder, column, *arguments))

    return column.number(column, record), generate


@intrinsic
def _set(_: Any, column: Any, record: Any, number: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        pointer, at, value = arguments
        builder.store(value, _find(builder, column, pointer, at))

    return types.void(column, record, column.number), generate


def _find(builder: Any, column: Column, pointer: Any, record: Any) -> Any:
    if isinstance(column, Detail):
        detail = builder.extract_value(pointer, 1)
        place = builder.gep(detail, [builder.mul(record, ir.Constant(_WORD, ENDPOINT))])
        pointer, record = builder.extract_value(pointer, 0), builder.load(place)
    return builder.gep(pointer, [builder.mul(record, ir.Constant(_WORD, column.width))])
