"""Odd values in every field of every body: accepted or refused with a message."""

import contextlib
import functools
import http.client
import json
from typing import Any

import pytest

from tests.localcloud.odd import shares, variants
from tests.localcloud.tasks.world import LOCATION, World, raw_on

_QUEUE = {
    "rateLimits": {"maxDispatchesPerSecond": 1, "maxConcurrentDispatches": 1},
    "retryConfig": {"maxAttempts": 1, "maxRetryDuration": "1s", "minBackoff": "1s", "maxBackoff": "2s", "maxDoublings": 1},
    "httpTarget": {
        "uriOverride": {
            "scheme": "HTTP",
            "host": "127.0.0.1",
            "port": "9",
            "pathOverride": {"path": "/a"},
            "queryOverride": {"queryParams": "a=b"},
            "uriOverrideEnforceMode": "ALWAYS",
        },
        "httpMethod": "POST",
        "headerOverrides": [{"header": {"key": "a", "value": "b"}}],
        "oidcToken": {"serviceAccountEmail": "a@b.c", "audience": "d"},
    },
}
_REQUEST = {
    "url": "http://127.0.0.1:9/",
    "httpMethod": "POST",
    "headers": {"a": "b"},
    "body": "YQ==",
    "oidcToken": {"serviceAccountEmail": "a@b.c", "audience": "d"},
}
_TASK = {
    "task": {"httpRequest": _REQUEST, "scheduleTime": "2030-01-02T03:04:05Z", "dispatchDeadline": "15s"},
    "responseView": "FULL",
}
_POLICY = {"policy": {"version": 1, "etag": "ACAB", "bindings": [{"role": "r", "members": ["user:a@b.c"]}]}}


@shares
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "queues", {"name": f"{LOCATION}/queues/other", **_QUEUE}),
        ("PATCH", "queues/q", _QUEUE),
        ("PATCH", "queues/q?updateMask=rateLimits.maxDispatchesPerSecond,retryConfig.minBackoff,httpTarget", _QUEUE),
        ("POST", "queues/q/tasks", _TASK),
        ("POST", "queues/q/tasks/t:run", {"responseView": "FULL"}),
        ("POST", "queues/q/tasks:buffer", {"body": {"contentType": "a/b", "data": "YQ==", "extensions": []}}),
        ("POST", "queues/q:pause", {}),
        ("POST", "queues/q:setIamPolicy", _POLICY),
        ("POST", "queues/q:testIamPermissions", {"permissions": ["a"]}),
    ],
)
def test_no_body_causes_a_server_error(world: World, method: str, path: str, body: Any, one_in: int) -> None:
    queue = world.queue("q")
    failed = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", world.port)) as connection:
        send = functools.partial(raw_on, connection)
        for variant in variants(body, one_in):
            send("POST", f"/v2/{queue}:pause")
            sent, headers = json.dumps(variant).encode(), {"Content-Type": "application/json"}
            answers = [
                send(method, f"/v2/{LOCATION}/{path}", sent, **headers),
                send("POST", f"/v2/{queue}/tasks:buffer"),
            ]
            if any(code >= 500 for code, _ in answers):
                failed.append((variant, answers))
            send("DELETE", f"/v2/{LOCATION}/queues/other")

    assert failed == []
