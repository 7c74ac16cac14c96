"""Where a commit can be looked at: a template, checked before it stands in a page."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from slomon.options import refuse

PLACE: Final = "{commit}"


def check_commit_url(template: object) -> str | None:
    """
    The template, or None for None. Raises ConfigurationError where it is no http or https address,
    or has no place for the commit behind its host: no commit may choose the host.
    """
    if template is None or (isinstance(template, str) and _leads_to_commits(template)):
        return template
    raise refuse("commit_url", template, _ALLOWED)


def _leads_to_commits(template: str) -> bool:
    try:
        parts = urlsplit(template)
    except ValueError:  # a host in brackets that is no address
        return False
    behind_host = "".join((parts.path, parts.query, parts.fragment))
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and not set("{}\\") & set(parts.netloc)
        and PLACE in behind_host
        and template.isprintable()
        and " " not in template
    )


_ALLOWED: Final = (
    "an http or https address with {commit} behind its host, such as "
    "'https://git.example.com/commit/{commit}'"
)
