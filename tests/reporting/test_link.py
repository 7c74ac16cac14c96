"""Where a commit leads to is checked before it stands in a page."""

from __future__ import annotations

import pytest

from slomon.errors import ConfigurationError
from slomon.report.page import check_commit_url


@pytest.mark.parametrize(
    "template",
    [
        "https://git.example.com/{commit}",
        "http://localhost:8080/browse?rev={commit}#diff",
        "https://[::1]/{commit}/{commit}",
        None,
    ],
)
def test_an_address_with_a_place_for_the_commit_is_taken(template: str | None) -> None:
    assert check_commit_url(template) == template


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert({commit})",
        "data:text/html,{commit}",
        "file:///{commit}",
        "//git.example.com/{commit}",
        "https://git.example.com/",
        "https://{commit}.example.com/",
        "https://{commit}@git.example.com/{commit}",
        "https://git.example.com\\@evil.example/{commit}",
        "https:///{commit}",
        "https://[no address/{commit}",
        "https://git.example.com/a b/{commit}",
        "https://git.example.com/\n{commit}",
        "",
        7,
    ],
)
def test_anything_else_is_refused_by_its_name_and_value(template: object) -> None:
    with pytest.raises(ConfigurationError, match=r"'commit_url' is .*; allowed: an http or https"):
        check_commit_url(template)
