"""A Django site: its settings, its routes, and its views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integrations.packages import load

http = load("django.http")
urls = load("django.urls")


def configure() -> None:
    """Django has one configuration for each process."""
    conf = load("django.conf")
    if not conf.settings.configured:
        conf.settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="test")
        load("django").setup(set_prefix=False)


def user(_: Any, number: int) -> Any:
    return http.HttpResponse(str(number))


def bug(_: Any) -> Any:
    raise ValueError("bug")


def stream(_: Any) -> Any:
    def half() -> Any:
        yield b"half"
        raise ValueError("the other half is missing")

    return http.StreamingHttpResponse(half())


def endless(_: Any) -> Any:
    return http.StreamingHttpResponse(b"." * 65536 for _ in iter(int, 1))


def file(_: Any) -> Any:
    return http.FileResponse(Path(__file__).open("rb"))


urlpatterns = [
    urls.path("users/<int:number>", user),
    urls.path("admin/", urls.include([urls.re_path(r"^users/(?P<number>[0-9]+)$", user)])),
    urls.path("bug", bug),
    urls.path("stream", stream),
    urls.path("endless", endless),
    urls.path("file", file),
]
