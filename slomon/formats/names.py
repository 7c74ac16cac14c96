"""
The usual names of the fields of an access: of columns, keys and labels.

Names are compared without case and without anything but letters and digits, so that `cs-uri-stem`,
`csUriStem` and `CS(URI-Stem)` are the same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from slomon.formats.layout import REQUIRED, Field, Kind, Layout, Part, is_complete

# In order of preference: if a line has several, the first one counts. What only one server writes
# comes first. A word that can mean something else, such as the machine or a duration, comes last.
NAMES: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.TIME: (
        *("edgestarttimestamp", "startutc", "starttime", "timeiso8601", "timelocal", "timestamp"),
        *("datetime", "timestring", "time", "ts", "msec", "requesttimeepoch"),
        *("startlocal", "eventtime", "asctime", "timedate", "date", "t", "edgeendtimestamp"),
        *("startedat", "reqtimesec"),
        "requesttime",  # mostly a duration
    ),
    Kind.METHOD: (
        *("clientrequestmethod", "requestmethod", "httpmethod", "method", "verb", "requestverb"),
        *("httprequestmethod", "reqmethod", "csmethod"),
    ),
    Kind.PATH: (
        *("clientrequesturi", "requesturi", "requestpath", "requesturl", "xenvoyoriginalpath"),
        *("xenvoyoriginpath", "uri", "path", "url", "uripath", "urloriginal", "original"),
        *("clientrequestpath", "urlpath", "httppath", "httptarget", "httpurldetailspath"),
        *(
            "target",
            "csuristem",
            "csuri",
            "csuripath",
            "endpoint",
            "resource",
            "resourcepath",
            "reqpath",
        ),
        "httpuri",
    ),
    Kind.REQUEST: ("request", "requestline", "req", "httprequest"),
    Kind.STATUS: (
        *("downstreamstatus", "edgeresponsestatus", "status", "statuscode", "httpstatus"),
        *("responsecode", "responsestatus", "httpstatuscode", "elbstatuscode", "scstatus"),
        *("httpresponsestatuscode", "responsestatuscode", "statuscodevalue", "respstatus", "code"),
    ),
    Kind.HOST: (
        *("clientrequesthost", "xhostheader", "requesthost", "httphost", "vhost", "virtualhost"),
        *(
            "cshost",
            "hostheader",
            "authority",
            "servername",
            "host",
            "domainname",
            "domain",
            "site",
        ),
    ),
    Kind.QUERY: ("csuriquery", "querystring", "query", "args"),
}

MACHINE_OR_HOST: Final = "name"
"""The form of a field called `host`: programs mostly give it the name of their machine."""

SERVICES: Final = (
    *("service", "servicename", "app", "appname", "application", "applicationname"),
    *("ioname", "container", "containername", "router", "routername", "upstreamname"),
    *("proxyupstreamname", "backend", "backendname", "upstreamcluster", "ssitename"),
)
"""
The names of fields that name a service, the best one first: those of programs and of Kubernetes,
and those of a proxy's router and upstream.
"""

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
    "timetaken": "",  # of IIS, CloudFront, Azure
    "service": "",
    "duration": "",
    "latency": "",
    "elapsed": "",
    "took": "",
}


def simplify(name: str) -> str:
    """The lower-case letters and digits of a name, by which names are compared."""
    return re.sub("[^a-z0-9]", "", name.lower())


def keep_value(field: Field, text: str) -> str:
    """The text of a field; "" if it is a `host` that is the name of a machine."""
    return "" if field.form == MACHINE_OR_HOST and not is_virtual_host(text) else text


@lru_cache(maxsize=1024)
def is_virtual_host(text: str) -> bool:
    """Can this be the name of a virtual host? The names of machines in a network cannot."""
    return re.fullmatch(_HOST, text) is not None and not text.lower().endswith(_MACHINES)


_HOST: Final = r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}|localhost)(?::[0-9]+)?"
_MACHINES: Final = (".internal", ".local", ".lan", ".compute")


@lru_cache(maxsize=1024)
def guess_fields(names: tuple[str, ...]) -> tuple[Field, ...]:
    """The field of each of these names, in order; each kind at most once but for SKIP."""
    simple = [simplify(name) for name in names]
    fields = [Field(name, Kind.SKIP) for name in names]
    for kind, known in NAMES.items():
        at = next((simple.index(name) for name in known if name in simple), None)
        if at is not None and fields[at].kind is Kind.SKIP:
            fields[at] = Field(names[at], kind, MACHINE_OR_HOST if simple[at] == "host" else "")
    for name, unit in DURATIONS.items():
        at = simple.index(name) if name in simple else -1
        if at >= 0 and fields[at].kind is Kind.SKIP:
            fields[at] = Field(names[at], Kind.DURATION, unit)
            break
    return tuple(fields)


def choose_service(fields: Sequence[Field]) -> list[Field]:
    """The same fields, in which HOST is the one that names the service, if one does."""
    simple = [simplify(field.name) for field in fields]
    known = SERVICES[1:] if "dyno" in simple else SERVICES  # Heroku's `service` is a duration
    at = next((simple.index(name) for name in known if name in simple), None)
    return [
        Field(field.name, Kind.HOST)
        if number == at
        else (Field(field.name, Kind.SKIP) if field.kind is Kind.HOST else field)
        for number, field in enumerate(fields)
    ]


def choose_service_of(layout: Layout) -> Layout:
    """The same layout, in which HOST is the field that names the service, if one does."""
    fields = choose_service([part.field for part in layout.parts])
    parts = [Part(part.literal, field) for part, field in zip(layout.parts, fields, strict=True)]
    return replace(layout, parts=tuple(parts))


def find_missing(kinds: Sequence[Kind]) -> str:
    """What fields of these kinds lack to be an access; "" if they lack nothing."""
    return "" if is_complete([kind.value for kind in kinds]) else REQUIRED
