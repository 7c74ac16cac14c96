"""The image that Numba compiles has all kernels, and refers to nothing foreign."""

from __future__ import annotations

import inspect
from array import array

import pytest

pytest.importorskip("numba", reason="only Numba compiles the kernels")

from slomon.compiled.cache import Image
from slomon.compiled.library import Library, address, find_image
from slomon.kernels import hash_table, reorder, resolve, scan, wrappers
from slomon.kernels.windows import advance


@pytest.fixture(scope="module")
def image() -> Image:
    """The image of the present code and Numba: compiled, or cached by a process that did so."""
    found = find_image(compile_if_needed=True)
    assert found is not None
    return found


def test_every_kernel_is_there_and_takes_what_its_function_takes(image: Image) -> None:
    functions = {
        function.__name__: function
        for function in (
            *(scan.scan, wrappers.unwrap),
            *(resolve.resolve, resolve.find_or_add, resolve.add_request, hash_table.rehash),
            *(reorder.enter, reorder.cut, reorder.merge_runs, reorder.count, reorder.deal),
        )
    }
    taken = {
        name: len(inspect.signature(function).parameters) for name, function in functions.items()
    }
    arguments = {name: count for name, (_, count) in image.kernels.items()}
    assert (arguments.pop("advance"), arguments.pop("mark")) == (17, 11)
    assert (arguments.pop("merge"), arguments.pop("sort"), arguments.pop("expire")) == (
        5,
        4,
        10,
    )
    assert arguments == taken
    assert len(inspect.signature(advance).parameters) == 4


def test_an_image_refers_only_to_what_numba_and_python_provide_for_errors(image: Image) -> None:
    assert all(name.startswith(("NRT_", "numba_", "Py", "_Py")) for name in image.references)


def test_an_image_comes_back_as_it_was_packed(image: Image) -> None:
    unpacked = Image.unpack(image.pack())
    assert unpacked is not None
    assert unpacked.code == image.code
    assert unpacked.references == image.references
    assert unpacked.kernels.keys() == image.kernels.keys()
    for name, kernel in image.kernels.items():
        assert tuple(unpacked.kernels[name]) == tuple(kernel)


def test_an_image_works(image: Image) -> None:
    rows = array("q", [5, 0, 5, 0, 7, 0, 7, 0])
    assert Library(image).cut(address(rows), 0, 2, 6) == 1
