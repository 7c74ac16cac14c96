"""The backend of a replay: the protocol, the Python backend, and the choice between the two."""

from __future__ import annotations

from typing import Final, Protocol

from slomon.core.reorder import Order, PythonRowBuffer
from slomon.core.shard import AnyWindows
from slomon.core.statuses import StatusRule
from slomon.core.windows import Windows
from slomon.endpoints.discovery import EndpointNames, PythonEndpointNames
from slomon.errors import OptionError
from slomon.kernels.windows import WindowState
from slomon.log_replay.lines import ReferenceParser, Resolver
from slomon.options import BackendName, check_backend


class Backend(Protocol):
    """Makes the parts of a replay. All backends give the same answers."""

    def order(self, sources: int, shards: int, most: int) -> tuple[Order, EndpointNames]: ...
    def windows(self, windows: Windows) -> AnyWindows: ...
    def reader(self, reference: ReferenceParser, _: StatusRule, /) -> Resolver: ...


class PythonBackend:
    """The backend that needs no extra package."""

    def order(self, sources: int, shards: int, most: int) -> tuple[Order, EndpointNames]:
        """The reorder buffer, and the names of endpoints: at most `most` are found in the logs."""
        names = PythonEndpointNames(most)
        return Order(sources, PythonRowBuffer(shards, names.accept if most else None)), names

    def windows(self, windows: Windows) -> AnyWindows:
        """Windows that continue from these, whose state may be arrays."""
        state = WindowState._make(map(list, windows.state))  # type: ignore[arg-type]
        series = None if windows.series is None else windows.series.state
        return Windows.from_state(state, windows.marks, series, resolution=windows.resolution)

    def reader(self, reference: ReferenceParser, _: StatusRule) -> Resolver:
        """The reference parser itself."""
        return reference


# In bytes. To read fewer in Python is faster than to load the compiled kernels. To compile them
# takes half a minute, and meanwhile Python reads 200 MiB; but then later replays are faster, too,
# and compressed logs are ten times as long.
_WORTH_LOADING: Final = 256 << 10
_WORTH_COMPILING: Final = 32 << 20


def choose_backend(name: BackendName, size: int | None) -> Backend:
    """
    The backend of that name. "auto" is the compiled one if it is installed and makes a replay of
    `size` bytes (None: unknown) faster, which depends on whether it was compiled before.

    Raises ConfigurationError if the compiled backend is asked for and not installed.
    """
    check_backend(name)
    is_small = size is not None and size < _WORTH_LOADING
    if name == "python" or (name == "auto" and is_small):
        return PythonBackend()
    # Imported only if needed: it imports ctypes, for example.
    from slomon.compiled.backend import CompiledBackend  # noqa: PLC0415
    from slomon.compiled.library import load  # noqa: PLC0415

    worth = name == "compiled" or size is None or size >= _WORTH_COMPILING
    library = load(compile_if_needed=worth)
    if library is None and name == "compiled":
        raise OptionError(
            ["backend"],
            " is 'compiled', which is not installed; allowed: pip install 'slomon[replay]', or "
            "'auto', to do without if it is missing",
        )
    return PythonBackend() if library is None else CompiledBackend(library)
