"""Envoy's access log in its default format, and Istio's, which adds to its end."""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Final

from slomon.core.event import Access, Malformed, StatusRule
from slomon.formats.fields import read_fields
from slomon.formats.request import PROTOCOL


def parse_envoy(line: str, is_failure: StatusRule, zone: tzinfo | None) -> Access | Malformed:
    """
    The access of a line `[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%
    %PROTOCOL%" %RESPONSE_CODE% ...`, whatever follows and whatever a container's log writes
    before it. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log
    """
    found = _LINE.match(line)
    if found is None:
        return Malformed(line, f"it is not of Envoy's default format; allowed: {_FORM}")
    access = read_fields(line, found.groupdict(), is_failure, zone)
    if found["status"] == "0" and isinstance(access, Malformed):
        return Malformed(line, f"the status is '0': {_NO_RESPONSE}")
    return access


_LINE: Final = re.compile(
    r"[^\[]*+(?:\[(?![0-9]{4}-)[^\[]*+)*\[(?P<time>[0-9]{4}-[^\]]*)\] "
    rf'"(?P<method>[^ "]+) (?P<path>.*?) (?:{PROTOCOL}|-)" (?P<status>[0-9]{{1,3}})(?![^ ])',
    re.DOTALL,
)
_FORM: Final = "'[<ISO 8601>] \"<method> <path> <protocol>\" <status>', whatever stands after"
_NO_RESPONSE: Final = (
    "the client was gone before a response, or it was no HTTP; allowed: a response"
)
