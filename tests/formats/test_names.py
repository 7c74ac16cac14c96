"""The names of fields are the same for columns and for the keys of JSON."""

from __future__ import annotations

import pytest

from slomon.formats.json_keys import JsonKeys, choose_keys
from slomon.formats.layout import Kind
from slomon.formats.names import guess_fields

REQUEST = {"http_method": "GET", "url": "/a", "status_code": 500}


@pytest.mark.parametrize(
    ("record", "field", "name"),
    [
        ({"request_time": 0.25, "date": "2015-05-17T10:05:03Z"}, "time", "date"),
        (
            {"time": "2015-05-17T10:05:03Z", "time_local": "17/May/2015:10:05:03 +0000"},
            "time",
            "time_local",
        ),
        ({"ts": 1431857103, "host": "web.example.com", "vhost": "example.com"}, "host", "vhost"),
        ({"ts": 1431857103, "path": "/a", "request_uri": "/a?b"}, "path", "request_uri"),
        ({"StartUTC": "2015-05-17T10:05:03Z", "time": "2015-05-17T10:05:04Z"}, "time", "StartUTC"),
    ],
)
def test_columns_and_keys_have_the_same_preference(
    record: dict[str, object], field: str, name: str
) -> None:
    record = {**record, **REQUEST}
    keys = choose_keys([record])
    assert isinstance(keys, JsonKeys)
    columns = {column.kind: column.name for column in guess_fields(tuple(record))}
    assert keys.fields[field] == columns[Kind(field)] == name
