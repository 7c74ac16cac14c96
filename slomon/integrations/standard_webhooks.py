"""What senders and receivers of Standard Webhooks (https://www.standardwebhooks.com) agree on."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from typing import Final

PREFIX: Final = "whsec_"


def decode_key(secret: str) -> bytes:
    """The key of a secret: the base64 behind the prefix. It is empty where the form is another."""
    if not secret.startswith(PREFIX):
        return b""
    try:
        return b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        return b""


def sign(key: bytes, ident: bytes, time: bytes, body: bytes) -> bytes:
    """The signature of a message with its id and its time, as it stands in `webhook-signature`."""
    digest = hmac.digest(key, b"%b.%b.%b" % (ident, time, body), "sha256")
    return b"v1," + b64encode(digest)
