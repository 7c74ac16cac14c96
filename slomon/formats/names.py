"""
The usual names of the fields of an access: of columns, keys and labels.

Names are compared without case and without anything but letters and digits, so that `cs-uri-stem`,
`csUriStem` and `CS(URI-Stem)` are the same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from slomon.formats.layout import REQUIRED, Field, Kind, is_complete

# In order of preference: if a line has several, the first one counts. What only one server writes
# comes first. A word that can mean something else, such as the machine or a duration, comes last.
NAMES: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.TIME: (
        *("edgestarttimestamp", "startutc", "starttime", "timeiso8601", "timelocal", "timestamp"),
        *("datetime", "timestring", "time", "ts", "msec", "requesttimeepoch"),
        *("startlocal", "eventtime", "asctime", "timedate", "date", "t", "edgeendtimestamp"),
        "requesttime",  # mostly a duration
    ),
    Kind.METHOD: (
        *("clientrequestmethod", "requestmethod", "httpmethod", "method", "verb", "requestverb"),
        *("httprequestmethod", "reqmethod", "csmethod"),
    ),
    Kind.PATH: (
        *("clientrequesturi", "requesturi", "requestpath", "requesturl", "xenvoyoriginalpath"),
        *("xenvoyoriginpath", "uri", "path", "url", "uripath", "urloriginal", "original"),
        *("clientrequestpath", "urlpath", "httppath", "httptarget", "target", "csuristem", "csuri"),
        *("endpoint", "resource"),
    ),
    Kind.REQUEST: ("request", "requestline", "req", "httprequest"),
    Kind.STATUS: (
        *("downstreamstatus", "edgeresponsestatus", "status", "statuscode", "httpstatus"),
        *("responsecode", "responsestatus", "httpstatuscode", "elbstatuscode", "scstatus"),
        *("httpresponsestatuscode", "responsestatuscode", "statuscodevalue", "respstatus", "code"),
    ),
    Kind.HOST: (
        *("clientrequesthost", "xhostheader", "requesthost", "httphost", "vhost", "virtualhost"),
        *("cshost", "authority", "servername", "host", "domainname", "domain", "site"),
    ),
    Kind.QUERY: ("csuriquery", "querystring", "query", "args"),
}

# The name of a duration, and its unit; "" if its text has the unit, or if its size tells it.
DURATIONS: Final[Mapping[str, str]] = {
    "requesttime": "s",
    "reqtime": "s",
    "apptime": "s",
    "responsetime": "s",
    "targetprocessingtime": "s",
    "durationms": "ms",
    "latencyms": "ms",
    "elapsedms": "ms",
    "responsetimems": "ms",
    "responselatency": "ms",
    "originresponsedurationms": "ms",
    "edgetimetofirstbytems": "ms",
    "timetaken": "ms",  # of IIS; CloudFront writes seconds
    "service": "",
    "duration": "",
    "latency": "",
    "elapsed": "",
    "took": "",
}


def simplify(name: str) -> str:
    """The lower-case letters and digits of a name, by which names are compared."""
    return re.sub("[^a-z0-9]", "", name.lower())


@lru_cache(maxsize=1024)
def guess_fields(names: tuple[str, ...]) -> tuple[Field, ...]:
    """The field of each of these names, in order; each kind at most once but for SKIP."""
    simple = [simplify(name) for name in names]
    fields = [Field(name, Kind.SKIP) for name in names]
    for kind, known in NAMES.items():
        at = next((simple.index(name) for name in known if name in simple), None)
        if at is not None and fields[at].kind is Kind.SKIP:
            fields[at] = Field(names[at], kind)
    for name, unit in DURATIONS.items():
        at = simple.index(name) if name in simple else -1
        if at >= 0 and fields[at].kind is Kind.SKIP:
            fields[at] = Field(names[at], Kind.DURATION, unit)
            break
    return tuple(fields)


def find_missing(kinds: Sequence[Kind]) -> str:
    """What fields of these kinds lack to be an access; "" if they lack nothing."""
    return "" if is_complete([kind.value for kind in kinds]) else REQUIRED
