"""Webhooks, to a real server over a socket, read and verified as a receiver does."""

from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import trustme
from anyio import CancelScope, create_task_group, sleep_forever, wait_all_tasks_blocked
from standardwebhooks import Webhook as Verifier
from structlog.typing import EventDict

from slomon import ConfigurationError
from slomon.integrations.notify import Webhook
from slomon.report.columns import incident_schema
from tests.integrations.notify.clock import WatchedClock
from tests.integrations.notify.receiver import HANG, Request, answer, serving
from tests.integrations.notify.service import break_it, live, mend_it

SECRET = "whsec_" + "c2VjcmV0" * 4


def kind(request: Request) -> tuple[str, str]:
    content = request.json
    return content["type"], content["data"]["service"]


def verify(request: Request) -> None:
    Verifier(SECRET).verify(request.body, request.headers)


async def test_opening_and_closing_are_reported_once_each_and_verify() -> None:
    clock = WatchedClock()
    async with (
        serving() as receiver,
        live(clock) as monitor,
        Webhook(monitor, f"{receiver.url}/hook?a=b", secret=SECRET) as webhook,
    ):
        await break_it(monitor)
        opened = await receiver.next()
        await mend_it(monitor, clock)
        closed = await receiver.next()

    assert opened.line == "POST /hook?a=b HTTP/1.1"
    assert [kind(one)[0] for one in (opened, closed)] == ["incident.opened", "incident.closed"]
    for one in (opened, closed):
        verify(one)
        jsonschema.validate(one.json["data"], incident_schema())
        assert one.headers["content-type"] == "application/json"
    assert opened.json["data"]["break"] == "c1"
    assert opened.json["timestamp"] < closed.json["timestamp"]
    assert closed.json["data"]["fix"] == "fix"
    assert opened.headers["webhook-id"] != closed.headers["webhook-id"]
    assert not receiver.rest()
    assert receiver.connections == 1
    assert (webhook.delivered, webhook.failed, webhook.dropped) == (2, 0, 0)


@pytest.mark.parametrize(
    "reply",
    [
        *(
            pytest.param(answer(status), id=str(status))
            for status in (408, 425, 429, 500, 503, 599)
        ),
        pytest.param(answer(503, "Retry-After: soon"), id="no time to wait"),
        pytest.param(b"HTTP/1.1 200", id="cut off"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000, id="a head without end"),
    ],
)
async def test_what_fails_for_now_is_sent_again_with_the_same_id_and_signed_anew(
    reply: bytes,
) -> None:
    clock = WatchedClock()
    async with (
        serving(reply, reply) as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET) as webhook,
    ):
        await break_it(monitor)
        tries = [await receiver.next()]
        for seconds in (1, 2):
            await clock.pass_over(seconds)
            tries.append(await receiver.next())

    assert len({one.headers["webhook-id"] for one in tries}) == 1
    assert len({one.headers["webhook-signature"] for one in tries}) == 3
    assert len({one.body for one in tries}) == 1
    verify(tries[-1])
    assert (webhook.delivered, webhook.failed, webhook.dropped) == (1, 2, 0)


async def test_a_receiver_that_asks_to_wait_is_left_alone_for_so_long() -> None:
    clock = WatchedClock()
    async with (
        serving(answer(429, "Retry-After: 100")) as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET),
    ):
        await break_it(monitor)
        first = await receiver.next()
        await clock.pass_exactly(100)
        second = await receiver.next()

    times = [int(one.headers["webhook-timestamp"]) for one in (first, second)]
    assert times[1] == times[0] + 100


@pytest.mark.parametrize("status", [300, 400, 401, 404, 410, 422])
async def test_a_refusal_is_final_and_reported_and_what_follows_is_sent(
    status: int, logs: list[EventDict]
) -> None:
    clock = WatchedClock()
    async with (
        serving(answer(status, body=b"no")) as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET) as webhook,
    ):
        await break_it(monitor, "users")
        await break_it(monitor, "shop")
        told = [await receiver.next(), await receiver.next()]

    assert [kind(one)[1] for one in told] == ["users", "shop"]
    assert (webhook.delivered, webhook.failed, webhook.dropped) == (1, 1, 1)
    refusals = [entry for entry in logs if entry["event"] == "notification.refused"]
    assert [(entry["to"], entry["reason"]) for entry in refusals] == [
        (receiver.url, f"status {status}")
    ]


async def test_a_redirect_is_not_followed() -> None:
    clock = WatchedClock()
    async with serving() as elsewhere, serving() as receiver, live(clock) as monitor:
        receiver.answers += [answer(307, f"Location: {elsewhere.url}")]
        async with Webhook(monitor, receiver.url, secret=SECRET) as webhook:
            await break_it(monitor)
            await receiver.next()

    assert elsewhere.connections == 0
    assert webhook.dropped == 1


async def test_a_receiver_that_never_answers_is_given_up_in_20_seconds_and_asked_again() -> None:
    clock = WatchedClock()
    async with (
        serving(HANG) as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET) as webhook,
    ):
        await break_it(monitor)
        await receiver.next()
        await clock.pass_exactly(20)
        await clock.pass_over(1)
        await receiver.next()

    assert (webhook.delivered, webhook.failed) == (1, 1)


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    clock = WatchedClock()
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 100_000
    async with (
        serving(endless) as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET) as webhook,
    ):
        await break_it(monitor, "users")
        await break_it(monitor, "shop")
        assert [kind(await receiver.next())[1] for _ in range(2)] == ["users", "shop"]

    assert webhook.delivered == 2


async def test_a_message_is_given_up_after_its_time() -> None:
    clock = WatchedClock()
    async with (
        serving(answer(500)) as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET, retry_for="10s") as webhook,
    ):
        await break_it(monitor, "users")
        await receiver.next()
        await clock.pass_over(11)
        await break_it(monitor, "shop")
        assert kind(await receiver.next())[1] == "shop"

    assert (webhook.delivered, webhook.failed, webhook.dropped) == (1, 1, 1)


async def test_of_too_many_messages_the_oldest_are_given_up(logs: list[EventDict]) -> None:
    clock = WatchedClock()
    async with (
        serving(answer(500)) as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET, queue_bound=2) as webhook,
    ):
        await break_it(monitor)
        await receiver.next()
        await mend_it(monitor, clock)
        await break_it(monitor, "shop")
        await clock.pass_over(1)
        told = [kind(await receiver.next()) for _ in range(2)]

    assert told == [("incident.closed", "users"), ("incident.opened", "shop")]
    assert (webhook.delivered, webhook.failed, webhook.dropped) == (2, 1, 1)
    dropped = [entry for entry in logs if entry["event"] == "notification.dropped"]
    assert [(entry["count"], entry["reason"]) for entry in dropped] == [(1, "too many wait")]


async def test_events_that_were_missed_are_made_up_for(logs: list[EventDict]) -> None:
    clock = WatchedClock()
    async with (
        serving() as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET, queue_bound=3),
    ):
        for at in (100, 200):  # four events at once, of which the subscription keeps three
            monitor.access("GET", "/users", 500, at=at)
            monitor.access("GET", "/users", 200, at=at + 50)
        await monitor.flush()
        told = [(await receiver.next()).json["data"] for _ in range(3)]

    assert [(one["start"], one["end"]) for one in told] == [(100, 150), (200, -1), (200, 250)]
    assert [entry["count"] for entry in logs if entry["event"] == "incidents.missed"] == [1]


async def dead_address() -> str:
    """Where nobody listens."""
    async with serving() as receiver:
        pass
    return receiver.url


async def test_a_dead_receiver_harms_nobody_and_leaving_has_a_bound(logs: list[EventDict]) -> None:
    clock, address = WatchedClock(), await dead_address()
    url = address.replace("://", "://ana:pass-word@") + "/hidden-path?token=hidden-query"
    async with (
        create_task_group() as tasks,
        live(clock) as monitor,
        Webhook(monitor, url, secret=SECRET, linger="3s") as webhook,
    ):
        await break_it(monitor, "users")
        await break_it(monitor, "shop")
        await clock.pass_over(1)
        await clock.see_sleeper(2)
        assert monitor.snapshot().accounting.accesses == 2
        tasks.start_soon(clock.pass_exactly, 3)

    assert webhook.delivered == 0
    assert webhook.failed >= 2
    assert webhook.dropped == 2
    assert {entry["to"] for entry in logs if "to" in entry} == {address}
    assert not any(word in str(logs) for word in ("pass-word", "hidden", SECRET))
    assert sum(entry["event"] == "notification.failed" for entry in logs) == 1  # a minute


async def test_no_library_logs_an_address_or_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    clock = WatchedClock()
    async with serving() as receiver, live(clock) as monitor:
        url = receiver.url.replace("://", "://ana:pass-word@") + "/hidden-path?token=hidden-query"
        async with Webhook(monitor, url, secret=SECRET, headers={"X-Key": "hidden-key"}):
            await break_it(monitor)
            request = await receiver.next()

    assert request.line == "POST /hidden-path?token=hidden-query HTTP/1.1"
    assert request.headers["authorization"] == "Basic YW5hOnBhc3Mtd29yZA=="
    assert request.headers["x-key"] == "hidden-key"
    assert not any(word in caplog.text for word in ("pass-word", "hidden", SECRET))


async def test_leaving_tells_what_has_just_happened_and_tries_once_more_at_once() -> None:
    clock = WatchedClock()
    async with serving(answer(500)) as receiver, live(clock) as monitor:
        async with Webhook(monitor, receiver.url, secret=SECRET) as webhook:
            await break_it(monitor, "users")
            await receiver.next()
            await clock.see_sleeper(1)
            monitor.access("GET", "/shop", 500)  # not even counted yet

        assert [kind(one)[1] for one in receiver.rest()] == ["users", "shop"]
        assert webhook.dropped == 0


async def let_linger(clock: WatchedClock) -> None:
    """End the lingering when there was time for whatever it may try."""
    await clock.see_exactly(5)
    for _ in range(20):
        await wait_all_tasks_blocked()
    clock.advance(5)


async def test_leaving_is_no_reason_to_disturb_a_receiver_that_asked_to_wait() -> None:
    clock = WatchedClock()
    async with serving(answer(503, "Retry-After: 100")) as receiver, live(clock) as monitor:
        async with (
            create_task_group() as tasks,
            Webhook(monitor, receiver.url, secret=SECRET) as webhook,
        ):
            await break_it(monitor)
            await receiver.next()
            await clock.see_exactly(100)
            tasks.start_soon(let_linger, clock)

        assert receiver.rest() == []
        assert webhook.dropped == 1


async def test_what_the_body_raises_comes_out_as_it_is_after_everything_was_delivered() -> None:
    clock, error = WatchedClock(), OSError("the host's own")
    async with serving() as receiver:

        async def serve() -> None:
            async with live(clock) as monitor, Webhook(monitor, receiver.url, secret=SECRET):
                await break_it(monitor)
                raise error

        with pytest.raises(OSError, match="the host's own") as caught:
            await serve()
        assert caught.value is error
        assert len(receiver.rest()) == 1


async def test_a_cancellation_waits_for_nobody_and_leaves_no_task_behind() -> None:
    clock = WatchedClock()
    async with serving(HANG) as receiver, live(clock) as monitor:
        before = asyncio.all_tasks()
        with CancelScope() as scope:
            async with Webhook(monitor, receiver.url, secret=SECRET) as webhook:
                await break_it(monitor)
                await receiver.next()
                scope.cancel()
                await sleep_forever()

        assert scope.cancelled_caught
        assert webhook.dropped == 1
        await receiver.hang_up()
        assert asyncio.all_tasks() == before


async def test_a_deadline_of_asyncio_takes_effect_as_ever() -> None:
    clock = WatchedClock()
    async with serving(HANG) as receiver, live(clock) as monitor:

        async def serve() -> None:
            async with (
                asyncio.timeout(None) as deadline,
                Webhook(monitor, receiver.url, secret=SECRET),
            ):
                await break_it(monitor)
                await receiver.next()
                deadline.reschedule(0)
                await sleep_forever()

        with pytest.raises(TimeoutError):
            await serve()


async def test_to_leave_may_be_cancelled() -> None:
    clock = WatchedClock()
    async with serving(HANG) as receiver, live(clock) as monitor:
        with CancelScope() as scope:
            async with Webhook(monitor, receiver.url, secret=SECRET) as webhook:
                await break_it(monitor)
                await receiver.next()
                asyncio.get_running_loop().call_later(0, scope.cancel)

        assert scope.cancelled_caught
        assert webhook.dropped == 1


async def test_a_host_that_exits_waits_for_nobody() -> None:
    clock = WatchedClock()
    async with serving(HANG) as receiver:

        async def serve() -> None:
            async with live(clock) as monitor, Webhook(monitor, receiver.url, secret=SECRET):
                await break_it(monitor)
                raise SystemExit

        with pytest.raises(SystemExit):
            await serve()


async def test_a_notifier_is_entered_again_once_it_has_ended_and_not_before() -> None:
    async with serving() as receiver, live(WatchedClock()) as monitor:
        webhook = Webhook(monitor, receiver.url, secret=SECRET)
        async with webhook:
            await break_it(monitor, "users")
            with pytest.raises(RuntimeError, match="allowed: one `async with` at a time"):
                await webhook.__aenter__()
        async with webhook:
            await break_it(monitor, "shop")
        told = [kind(one) for one in receiver.rest()]

    opened = "incident.opened"
    assert told == [(opened, "users"), (opened, "users"), (opened, "shop")]  # no outbox


class BrokenClock(WatchedClock):
    """Breaks as soon as a notifier asks it to wait."""

    async def sleep_until(self, tick: int) -> None:
        raise ZeroDivisionError(tick)


async def test_whatever_a_notifier_fails_of_the_host_goes_on(logs: list[EventDict]) -> None:
    async with (
        serving() as receiver,
        live(BrokenClock()) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET),
    ):
        await break_it(monitor)
        await wait_all_tasks_blocked()

    assert "notifier.ended" in [entry["event"] for entry in logs]


def certify(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A server's certificate, and the file of the authority that issued it."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    return context, str(folder / "authority.pem")


async def test_certificates_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[EventDict]
) -> None:
    clock = WatchedClock()
    context, authority = certify(tmp_path)
    async with serving(tls=context) as receiver, live(clock) as monitor:
        async with (
            create_task_group() as tasks,
            Webhook(monitor, receiver.url, secret=SECRET) as webhook,
        ):
            await break_it(monitor)
            await clock.see_sleeper(1)
            tasks.start_soon(clock.pass_exactly, 5)
        assert webhook.delivered == 0
        assert "CERTIFICATE_VERIFY_FAILED" in str(logs)

        monkeypatch.setenv("SSL_CERT_FILE", authority)
        async with Webhook(monitor, receiver.url, secret=SECRET) as webhook:
            await receiver.next()
        assert webhook.delivered == 1


async def test_a_proxy_of_the_environment_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = WatchedClock()
    async with serving() as proxy, live(clock) as monitor:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "other.example.com")
        async with Webhook(monitor, "http://hooks.example.com/x", secret=SECRET):
            await break_it(monitor)
            request = await proxy.next()

    assert request.line == "POST http://hooks.example.com/x HTTP/1.1"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"url": "hooks.example.com/x"}, "'url' is no address; allowed: text such as 'https"),
        ({"url": "ftp://ana:pw@host/"}, "'url' is no address"),
        ({"url": "https://"}, "'url' is no address"),
        ({"url": "https://host:99999999/"}, "'url' is no address"),
        ({"url": "https://host:0/"}, "'url' is no address"),
        ({"url": "http://host:x/"}, "'url' can't be read"),
        ({"url": "http://ho\nst/"}, "'url' can't be read"),
        ({"url": None}, "'url' is no address"),
        ({"secret": "whsec_dG9vIHNob3J0"}, "'secret' can't be used; allowed: 'whsec_' and"),
        ({"secret": "c2VjcmV0" * 4}, "'secret' can't be used"),
        ({"secret": "whsec_???"}, "'secret' can't be used"),
        ({"secret": "whsec_\xe9"}, "'secret' can't be used"),
        ({"secret": None}, "'secret' can't be used"),
        ({"headers": {"a b": "c"}}, "'headers' has a header that can't be sent"),
        ({"headers": {"a": "pw\r\nb: c"}}, "'headers' has a header that can't be sent"),
        ({"headers": {"a": " pw"}}, "'headers' has a header that can't be sent"),
        ({"headers": 5}, "'headers' is 5; allowed: a mapping of text to text"),
        ({"outbox": ""}, "'outbox' is ''; allowed: a path"),
        ({"retry_for": "1 day"}, "'retry_for': the duration is '1 day'"),
        ({"queue_bound": 0}, "'queue_bound' is 0; allowed: a whole number from 1"),
        ({"linger": -1}, "'linger': the duration is '-1'"),
    ],
)
def test_a_wrong_option_is_refused_and_no_secret_shown(
    options: dict[str, object], fault: str
) -> None:
    given: dict[str, Any] = {"url": "http://host/", "secret": SECRET, **options}
    with pytest.raises(ConfigurationError) as caught:
        Webhook(live(WatchedClock()), given.pop("url"), **given)
    assert fault in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.slow
def test_without_the_extra_an_error_names_it() -> None:
    code = "import sys; sys.modules['httpx'] = None; import slomon.integrations.notify"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert run.stderr.endswith(
        "ConfigurationError: notifications are sent by httpx, which is not installed; needed: "
        "pip install 'slomon[notify]'\n"
    )


@pytest.mark.parametrize(
    ("proxy", "fault"),
    [
        ("ana:pw@localhost:3128", "is no address of a proxy; allowed: text such as 'http://host"),
        ("http://ana:pw@[::1", "is no address of a proxy"),
        ("ftp://ana:pw@localhost", "is no address of a proxy"),
        ("socks5://ana:pw@localhost:1", "is of SOCKS, which needs a package; allowed: to install"),
    ],
)
def test_a_proxy_that_can_not_be_used_is_reported_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str, fault: str
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setitem(sys.modules, "socksio", None)
    monitor = live(WatchedClock())
    with pytest.raises(ConfigurationError, match=f"HTTPS_PROXY {fault}") as caught:
        Webhook(monitor, "https://hooks.example.com", secret=SECRET)
    assert "pw" not in str(caught.value)
    assert caught.value.__context__ is None


async def test_entering_it_before_its_monitor_is_an_error() -> None:
    monitor = live(WatchedClock())
    webhook = Webhook(monitor, "http://localhost", secret=SECRET)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="allowed: to enter the monitor first"):
            await webhook.__aenter__()
        async with monitor, webhook:
            pass


@pytest.mark.parametrize("name", ["Webhook-Id", "content-type", "WEBHOOK-SIGNATURE", "Host"])
def test_a_header_that_is_set_by_itself_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'headers' has '{name}', which is set") as caught:
        Webhook(live(WatchedClock()), "http://a", secret=SECRET, headers={name: "pw"})
    assert "pw" not in str(caught.value)


async def test_who_sends_may_have_another_name() -> None:
    async with (
        serving() as receiver,
        live(WatchedClock()) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET, headers={"USER-AGENT": "ours"}),
    ):
        await break_it(monitor)
        assert (await receiver.next()).headers["user-agent"] == "ours"


def test_what_is_no_monitor_is_refused() -> None:
    nothing: Any = None
    with pytest.raises(ConfigurationError, match=r"'monitor' is None; allowed: what slomon.live"):
        Webhook(nothing, "http://localhost", secret=SECRET)
