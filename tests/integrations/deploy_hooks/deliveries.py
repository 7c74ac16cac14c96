"""Requests of GitHub, GitLab and a sender of CDEvents that report one deployment."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

SAMPLES: Final = Path(__file__).parents[2] / "data" / "webhooks"
SECRET: Final = "not to be shown"
SIGNING_SECRET: Final = "whsec_bm90IHRvIGJlIHNob3duIGVpdGhlcg=="
SECOND: Final = 1_000_000_000
NOW: Final = 1_543_443_092 * SECOND
"""A second after the deployment."""
COMMIT: Final = "6d0080a8f2a1c4b7e9d35f60718293a4b5c6d7e8"


def sample(name: str) -> Any:
    """The body of a request, which a test may change before it is dumped."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def dump(body: object) -> bytes:
    return json.dumps(body).encode()


def sign(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """GitHub's headers."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "deployment_status",
        "X-GitHub-Delivery": "f1d2d2f9-24e9-11e8-a5f6-3a1b0f1a7a00",
        "X-Hub-Signature-256": f"sha256={digest}",
    }


def sign_in_time(body: bytes, stamp: str = "1543443091") -> dict[str, str]:
    """The headers of Standard Webhooks."""
    signed = b"msg_1." + stamp.encode() + b"." + body
    digest = hmac.new(b"not to be shown either", signed, hashlib.sha256).digest()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }
