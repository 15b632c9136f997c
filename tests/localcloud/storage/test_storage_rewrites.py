"""Rewrites in several calls."""

import base64
import json
from typing import Any

import pytest

from localcloud.http import Answer
from tests.localcloud.storage.direct import Service, shown

MEGABYTE = 1 << 20


def resource(direct: Service, bucket: str) -> dict[str, Any]:
    return shown(direct.call("GET", f"/storage/v1/b/{bucket}/o/b"))


def rewrite(direct: Service, bucket: str, to: str, query: str = "", **fields: str) -> Answer:
    url = f"/storage/v1/b/{bucket}/o/a/rewriteTo/b/{to}/o/b?{query}"
    return direct.call("POST", url, json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("place", "fields"), [({"location": "EU"}, {}), ({"storageClass": "NEARLINE"}, {}), ({}, {"storageClass": "ARCHIVE"})]
)
def test_a_rewrite_that_moves_bytes_takes_several_calls(direct: Service, place: dict[str, str], fields: dict[str, str]) -> None:
    bucket, other = direct.bucket(), direct.bucket(**place)
    direct.upload(bucket, "a", bytes(2 * MEGABYTE + 1))
    query = f"maxBytesRewrittenPerCall={MEGABYTE}"

    first = shown(rewrite(direct, bucket, other, query, **fields))
    second = shown(rewrite(direct, bucket, other, f"{query}&rewriteToken={first['rewriteToken']}", **fields))
    missing = direct.read(other, "b")
    last = shown(rewrite(direct, bucket, other, f"{query}&rewriteToken={second['rewriteToken']}", **fields))

    steps = [(step["totalBytesRewritten"], step["done"], "resource" in step) for step in (first, second, last)]
    assert steps == [(str(MEGABYTE), False, False), (str(2 * MEGABYTE), False, False), (str(2 * MEGABYTE + 1), True, True)]
    assert ("rewriteToken" in last, missing) == (False, None)
    assert resource(direct, other)["size"] == first["objectSize"] == str(2 * MEGABYTE + 1)


def test_the_first_token_continues_a_rewrite_to_its_end(direct: Service) -> None:
    """gsutil keeps the first token, and would call for ever. After a restart, the token's own progress counts."""
    bucket, other = direct.bucket(), direct.bucket(location="EU")
    direct.upload(bucket, "a", bytes(3 * MEGABYTE))
    query = f"maxBytesRewrittenPerCall={MEGABYTE}"

    abandoned = shown(rewrite(direct, bucket, other, query))
    first = shown(rewrite(direct, bucket, other, query))
    query += f"&rewriteToken={first['rewriteToken']}"
    before = shown(rewrite(direct, bucket, other, query))
    direct.restart()
    after = [shown(rewrite(direct, bucket, other, query)) for _ in range(2)]

    steps = [int(step["totalBytesRewritten"]) // MEGABYTE for step in (abandoned, first, before, *after)]
    assert steps == [1, 1, 2, 2, 3]
    assert [step["done"] for step in after] == [False, True]
    assert resource(direct, other)["size"] == str(3 * MEGABYTE)
    assert direct.storage.store.rewrites == {}


def test_rewrites_to_two_buckets_at_once_have_their_own_progress(direct: Service) -> None:
    bucket, others = direct.bucket(), [direct.bucket(location="EU"), direct.bucket(location="EU")]
    direct.upload(bucket, "a", bytes(3 * MEGABYTE))
    queries = dict.fromkeys(others, f"maxBytesRewrittenPerCall={MEGABYTE}")
    steps = []
    for other in (*others, *others, *others):
        step = shown(rewrite(direct, bucket, other, queries[other]))
        queries[other] += f"&rewriteToken={step['rewriteToken']}" if "&" not in queries[other] else ""
        steps.append(int(step["totalBytesRewritten"]) // MEGABYTE)

    assert steps == [1, 1, 2, 2, 3, 3]
    assert [resource(direct, other)["size"] for other in others] == [str(3 * MEGABYTE)] * 2


def test_a_rewrite_in_place_or_without_a_limit_takes_one_call(direct: Service) -> None:
    bucket, other = direct.bucket(), direct.bucket(location="EU")
    direct.upload(bucket, "a", bytes(2 * MEGABYTE))

    assert shown(rewrite(direct, bucket, bucket, f"maxBytesRewrittenPerCall={MEGABYTE}"))["done"] is True
    assert shown(rewrite(direct, bucket, other))["done"] is True


def test_a_token_continues_its_own_rewrite_only(direct: Service) -> None:
    bucket, other = direct.bucket(), direct.bucket(location="EU")
    direct.upload(bucket, "a", bytes(3 * MEGABYTE))
    query = f"maxBytesRewrittenPerCall={MEGABYTE}"
    token = f"rewriteToken={shown(rewrite(direct, bucket, other, query))['rewriteToken']}"

    refused = [
        rewrite(direct, bucket, other, token),
        rewrite(direct, bucket, other, f"maxBytesRewrittenPerCall={2 * MEGABYTE}&{token}"),
        rewrite(direct, bucket, other, f"{query}&{token}", contentType="a/b"),
        rewrite(direct, bucket, other, f"{query}&rewriteToken=nonsense"),
        rewrite(direct, bucket, other, "maxBytesRewrittenPerCall=5"),
        rewrite(direct, bucket, other, "maxBytesRewrittenPerCall=0"),
    ]
    direct.upload(bucket, "a", bytes(3 * MEGABYTE))
    refused.append(rewrite(direct, bucket, other, f"{query}&{token}"))

    assert [answer.status for answer in refused] == [400] * 7
    assert direct.read(other, "b") is None


@pytest.mark.parametrize("done", ["1e999", "-1", "0", "true", '"7"', "null", "1.5"])
def test_a_token_of_no_rewrite_is_refused(direct: Service, done: str) -> None:
    bucket, other = direct.bucket(), direct.bucket(location="EU")
    direct.upload(bucket, "a", bytes(2 * MEGABYTE))
    query = f"maxBytesRewrittenPerCall={MEGABYTE}"
    token = base64.urlsafe_b64decode(shown(rewrite(direct, bucket, other, query))["rewriteToken"])
    forged = base64.urlsafe_b64encode(token.replace(f" {MEGABYTE}]".encode(), f" {done}]".encode())).decode()

    assert rewrite(direct, bucket, other, f"{query}&rewriteToken={forged}").status == 400
    assert direct.read(other, "b") is None
