"""
The access logs of proxies: AWS load balancers (Application and Classic) and Envoy.

The lines of a Classic Load Balancer have no type. Istio writes Envoy's default format with further
fields at the end.
"""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Final

from slomon.core.events import NO_STATUS, Access, Excluded, Malformed
from slomon.core.statuses import StatusRule
from slomon.formats.clf import PROTOCOL, REQUESTS, split_request
from slomon.formats.fields import read_fields
from slomon.text import quote

_ALB_LINE: Final = re.compile(
    r"(?:[a-z0-9]+ )?(?P<time>[0-9]{4}-[^ ]+)(?: [^ ]+){3}(?: -?[0-9.]+){3}"
    r' (?P<status>[0-9]{3}|-) [^ ]+(?: [^ ]+){2} "(?P<request>.*?)"(?: "|\Z)',
    re.DOTALL,
)
_ORIGIN: Final = re.compile("[a-z]+://[^/?#]*", re.IGNORECASE)
_ALB_FORM: Final = (
    "'<type> <ISO 8601> <elb> <client> <target> <seconds> <seconds> <seconds> <elb status> "
    '<target status> <bytes> <bytes> "<request>"\', the type or none, whatever stands after'
)

_ENVOY_LINE: Final = re.compile(
    r"[^\[]*+(?:\[(?![0-9]{4}-)[^\[]*+)*\[(?P<time>[0-9]{4}-[^\]]*)\] "
    rf'"(?P<method>[^ "]+) (?P<path>.*?) (?:{PROTOCOL}|-)" (?P<status>[0-9]{{1,3}})(?![^ ])',
    re.DOTALL,
)
_ENVOY_FORM: Final = "'[<ISO 8601>] \"<method> <path> <protocol>\" <status>', whatever stands after"


def parse_alb(
    line: str, is_failure: StatusRule, zone: tzinfo | None
) -> Access | Malformed | Excluded:
    """
    Parse a line of an AWS load balancer.

    The resource is the path and the query of the line's URL. The status is the load balancer's,
    which is the one that the client saw. The time is that of the response. The line of a connection
    without a response, which may have no request either, has the status -.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
    """
    found = _ALB_LINE.match(line)
    if found is None:
        return Malformed(line, f"it is not of the load balancer's format; allowed: {_ALB_FORM}")
    if found["status"] == "-":
        return NO_STATUS
    request = split_request(found["request"])
    if request is None:
        return Malformed(line, f"the request is {quote(found['request'])}; allowed: {REQUESTS}")
    fields = {
        "time": found["time"],
        "method": request[0],
        "path": _path(request[1]),
        "status": found["status"],
    }
    return read_fields(line, fields, is_failure, zone)


def parse_envoy(
    line: str, is_failure: StatusRule, zone: tzinfo | None
) -> Access | Malformed | Excluded:
    """
    Parse a line of Envoy.

    It is `[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%"
    %RESPONSE_CODE% ...`. Any text may follow, and a container's log may write text before it. The
    status is 0 if the client left before the response.
    https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log
    """
    found = _ENVOY_LINE.match(line)
    if found is None:
        return Malformed(line, f"it is not of Envoy's default format; allowed: {_ENVOY_FORM}")
    read = read_fields(line, found.groupdict(), is_failure, zone)
    # Such a line may have no method and no path either.
    return NO_STATUS if found["status"] == "0" and isinstance(read, Malformed) else read


def _path(target: str) -> str:
    """Return the path and the query of a URL, or the target as it is if it has no origin."""
    origin = _ORIGIN.match(target)
    if origin is None:
        return target
    path = target[origin.end() :]
    return path if path.startswith("/") else f"/{path}"
