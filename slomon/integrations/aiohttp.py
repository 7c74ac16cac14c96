"""slomon inside an aiohttp server: `setup` reports each request to a live monitor."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final, TypeAlias

from aiohttp import WSCloseCode, hdrs, web
from aiohttp.payload import Payload

from slomon.integrations.exchange import (
    Connection,
    Exchange,
    check_options,
    make_counter,
    read_close_code,
)
from slomon.integrations.routes import read_route
from slomon.integrations.status_page import answer_async
from slomon.live_monitor.monitor import LiveMonitor, check_monitor
from slomon.options import check_choice

Route: TypeAlias = Callable[[web.Request], str | None]
"""Returns the resource of a request as in its endpoint's entry, None if there is none."""

_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Since aiohttp 3.14, a key that is text is warned of.
_EXCHANGE: Final[Any] = (
    web.RequestKey("slomon.exchange", object) if hasattr(web, "RequestKey") else "slomon.exchange"
)


def setup(
    app: web.Application,
    monitor: LiveMonitor,
    *,
    route: Route | None = None,
    status_path: str | None = None,
    run_monitor: bool = True,
    websockets: bool = False,
) -> None:
    """
    Count the requests of an application, and of those that are added to it:

        import slomon.integrations.aiohttp

        slomon.integrations.aiohttp.setup(app, monitor)

    **The endpoint.** A request is matched as in the access log of a proxy in front: by its method
    and by its path as the client sent it, undecoded. If several resources match, such as
    `/users/{id}`, the most specific one wins. HEAD is not GET. A request that matches no resource
    counts as unmatched. If the monitor finds its endpoints, they are the routes of aiohttp. A
    `route` may return the resource instead: it is called with the request after its handler. Then
    resources are compared as text. If `route` raises, the request is unmatched; the first exception
    is logged.

    **The status.** A request counts by the status of its response. If the handler raises or the
    body breaks off, it is a failure (500). If the client disconnects or the server cancels the
    handler, the status counts if the response has started, else 499, as in nginx.

    **The monitor.** With `run_monitor`, the monitor runs as long as the application. If it can't
    start, neither does the application.

    **The status page.** GET on `status_path` returns the `status_document` of
    `slomon.integrations.status_page`, to anyone; such requests are not counted.

    **Websockets** are counted with `websockets`: the handshake as status 101 if it is accepted,
    else by the status of its answer; an accepted connection once more when it ends, as 500 if the
    handler raises, as 500, 503 or 502 if it is closed with the code 1011, 1013 or 1014, else
    as 101.

    Raises ConfigurationError if an option is wrong or a resource is malformed, and RuntimeError if
    the application has started.
    """
    check_monitor(monitor)
    check_options(route, status_path, run_monitor, "a request")
    check_choice("websockets", websockets, [True, False])
    find_count = make_counter(monitor, route, _find_route).find

    @web.middleware
    async def count(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path == status_path:
            return await _show_status(monitor, request)
        is_websocket = request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
        if is_websocket and not websockets:
            return await handler(request)
        counted = find_count(request, request.method, request.raw_path.partition("?")[0])
        if is_websocket:
            return await _count_connection(Connection(counted), request, handler)
        return await _count_exchange(Exchange(counted), request, handler)

    async def run(_: web.Application) -> AsyncGenerator[None]:
        async with monitor:
            yield

    app.middlewares.insert(0, count)
    app.on_response_prepare.append(_note_start)
    if run_monitor:
        app.cleanup_ctx.append(run)


async def _count_exchange(
    exchange: Exchange, request: web.Request, handler: _Handler
) -> web.StreamResponse:
    request[_EXCHANGE] = exchange
    try:
        response = await handler(request)
        await _send_payload(response, request)
    except web.HTTPException as error:
        _finish(exchange, error, request)
        raise
    except Exception:
        exchange.is_disconnected = _has_left(request)
        exchange.end()
        raise
    except BaseException:
        exchange.end(cancelled=True)
        raise
    _finish(exchange, response, request)
    return response


async def _send_payload(response: web.StreamResponse, request: web.Request) -> None:
    """
    Send a response whose body may still break off. The server would do it next, when nobody could
    tell any more how that ends; now it finds that the response is sent.
    """
    if isinstance(response, web.Response) and isinstance(response.body, Payload):
        try:
            await response.prepare(request)
            await response.write_eof()
        except OSError:
            if not _has_left(request):
                raise


def _finish(exchange: Exchange, response: object, request: web.Request) -> None:
    """Count a response that is complete, although the server may still have to send it."""
    exchange.is_disconnected = _has_left(request)
    if not isinstance(response, web.StreamResponse):
        exchange.end()  # the server makes an error of it
    elif exchange.has_started != response.prepared:
        exchange.end()  # another response has begun, and breaks off
    elif response.prepared or not exchange.is_disconnected:
        exchange.status = response.status
        exchange.finish()
    else:
        exchange.end()


async def _count_connection(
    connection: Connection, request: web.Request, handler: _Handler
) -> web.StreamResponse:
    request[_EXCHANGE] = connection
    try:
        response = await handler(request)
    except web.HTTPException as error:
        if connection.is_accepted:
            connection.end()
        else:
            connection.close(error.status)
        raise
    except Exception:
        connection.is_disconnected = _has_left(request)
        connection.end(failed=True)
        raise
    except BaseException:
        connection.end(cancelled=True)
        raise
    if connection.is_accepted:
        connection.end()
    else:
        connection.close(response.status)
    return response


def _find_route(request: web.Request) -> str | None:
    resource = request.match_info.route.resource
    return None if resource is None else read_route(resource.canonical)


async def _note_start(request: web.Request, response: web.StreamResponse) -> None:
    exchange = request.get(_EXCHANGE)
    if isinstance(exchange, Connection):
        if isinstance(response, web.WebSocketResponse):
            exchange.accept()
            _watch_close(exchange, response)
    elif exchange is not None and not exchange.is_disconnected:
        exchange.status, exchange.has_started = response.status, True


def _watch_close(connection: Connection, response: web.WebSocketResponse) -> None:
    """Note the code with which the handler closes: aiohttp keeps only that of the client."""
    send_close = response.close

    async def close(*, code: int = WSCloseCode.OK, **more: Any) -> bool:
        connection.close(read_close_code(code))
        return await send_close(code=code, **more)

    response.close = close  # type: ignore[method-assign]


def _has_left(request: web.Request) -> bool:
    """Has the client disconnected?"""
    return request.transport is None or request.transport.is_closing()


async def _show_status(monitor: LiveMonitor, request: web.Request) -> web.Response:
    status, headers, body = await answer_async(request.method, monitor.read)
    return web.Response(status=status, headers=headers, body=body)
