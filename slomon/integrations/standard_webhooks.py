"""Keys and signatures of Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from typing import Final

PREFIX: Final = "whsec_"


def decode_key(secret: str) -> bytes:
    """The key of a secret, which is a prefix and base64. It is empty if the secret is invalid."""
    if not secret.startswith(PREFIX):
        return b""
    try:
        return b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        return b""


def sign(key: bytes, ident: bytes, time: bytes, body: bytes) -> bytes:
    """The value of `webhook-signature` for a message with this id and time."""
    digest = hmac.digest(key, b"%b.%b.%b" % (ident, time, body), "sha256")
    return b"v1," + b64encode(digest)
