"""
How a webhook's sender proves that it knows the secret: by a signature or by a token.

The time of a comparison doesn't depend on where two texts differ. No error and no repr contains any
part of a secret.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from slomon.core.ticks import TICKS_PER_SECOND, parse_seconds
from slomon.errors import OptionError, WebhookError
from slomon.integrations.standard_webhooks import PREFIX, decode_key, sign

Headers: TypeAlias = Mapping[str, str]
"""Header values by lower-case name."""

_TOLERANCE: Final = 300 * TICKS_PER_SECOND
"""The most that a signed time may differ from now, as in the libraries of Standard Webhooks."""


class Verifier(Protocol):
    """Checks that the sender of a request knows the secret."""

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) if the sender doesn't prove that it knows the secret."""


@dataclass(frozen=True, slots=True)
class BodySignature:
    """GitHub's signature: a header with `sha256=` and the body's HMAC-SHA256 in hexadecimal."""

    header: str
    key: bytes = field(repr=False)

    def check(self, headers: Headers, body: bytes, now: int) -> None:  # noqa: ARG002 (the signature has no time)
        """Raises WebhookError (401) if the signature is not that of the body."""
        found = _get(headers, self.header)
        _compare(
            self.header, found, f"sha256={hmac.new(self.key, body, hashlib.sha256).hexdigest()}"
        )


@dataclass(frozen=True, slots=True)
class Token:
    """The secret itself in a header, behind a `scheme` (in any case) if it isn't empty."""

    header: str
    text: str = field(repr=False)
    scheme: str = ""

    def check(self, headers: Headers, body: bytes, now: int) -> None:  # noqa: ARG002 (a token covers neither)
        """Raises WebhookError (401) if the token is another one."""
        found = _get(headers, self.header)
        if self.scheme:
            scheme, _, found = found.partition(" ")
            if scheme.lower() != self.scheme:
                raise WebhookError(401, f"the header {self.header} is of another scheme")
        _compare(self.header, found, self.text)


@dataclass(frozen=True, slots=True)
class TimedSignature:
    """The signature of Standard Webhooks (standardwebhooks.com) over an id, a time and the body."""

    key: bytes = field(repr=False)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) if the signature is wrong or its time is far from now."""
        message_id, stamp = _get(headers, "webhook-id"), _get(headers, "webhook-timestamp")
        found = _get(headers, "webhook-signature").split()
        time = parse_seconds(stamp)
        if time is None or abs(now - time) > _TOLERANCE:
            raise WebhookError(401, "the header webhook-timestamp is far from now")
        signature = sign(self.key, _encode(message_id), _encode(stamp), body)
        if not any(hmac.compare_digest(_encode(one), signature) for one in found):
            raise WebhookError(401, "the header webhook-signature does not fit")


def read_secret(name: str, value: object) -> str:
    """The text of a secret. Raises ConfigurationError if it is no secret; the error hides it."""
    if not isinstance(value, str) or not value.strip():
        raise OptionError([name], " is no secret; allowed: text that is not empty")
    return value


def read_key(name: str, value: object) -> bytes:
    """The key of a secret in the format of Standard Webhooks: `whsec_` and base64."""
    key = decode_key(read_secret(name, value))
    if not key:
        raise OptionError([name], f" has another form; allowed: '{PREFIX}' and base64")
    return key


def choose_verifier(token: Token | None, signing_secret: object) -> Verifier:
    """The verifier of the token or the secret. Raises ConfigurationError unless one is given."""
    if (token is None) == (signing_secret is None):
        raise OptionError(["token", "signing_secret"], ": allowed: exactly one of them")
    return token or TimedSignature(read_key("signing_secret", signing_secret))


def _get(headers: Headers, name: str) -> str:
    if name not in headers:
        raise WebhookError(401, f"there is no header {name}")
    return headers[name]


def _compare(header: str, found: str, expected: str) -> None:
    if not hmac.compare_digest(_encode(found), _encode(expected)):
        raise WebhookError(401, f"the header {header} does not fit")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a header may contain any code point
