"""Requests that no route has: each is refused in the form of its API, by its name."""

import pytest

from localcloud.storage.routes import json_segments
from tests.localcloud.storage.direct import Service, heads, shown


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "channels/stop", "POST channels/stop"),
        ("GET", "projects/local-project/anywhereCaches", "GET projects/*/anywhereCaches"),
        ("GET", "b/any-bucket/anywhereCaches/eu", "GET b/*/anywhereCaches/*"),
        ("GET", "buckets", "GET buckets"),
    ],
)
def test_an_unknown_resource_of_the_json_api_is_refused_by_name(direct: Service, method: str, path: str, name: str) -> None:
    answer = direct.call(method, f"/storage/v1/{path}")

    assert (answer.status, heads(answer)["content-type"]) == (400, "application/json; charset=UTF-8")
    assert shown(answer)["error"]["message"] == f"The local cloud does not support {name}."


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/storage/v1/b", ["b"]),
        ("/b/bucket", ["b", "bucket"]),
        ("/upload/storage/v1/b/bucket/o", ["upload", "b", "bucket", "o"]),
        ("/upload/storage/v1/channels/stop", ["upload", "channels", "stop"]),
        ("/batch/storage/v1/", ["batch"]),
        ("/storage/v1", None),
        ("/storage/v1/", None),
        ("/storage/v1/upload/b/bucket/o", None),
        ("/storage/v1/batch", None),
        ("/storage/v11/b/bucket", None),
        ("/channels/stop", None),
        ("/upload", None),
    ],
)
def test_paths_of_the_json_api(path: str, segments: list[str] | None) -> None:
    assert json_segments(path) == segments
