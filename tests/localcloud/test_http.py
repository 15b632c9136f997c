"""Requests and answers of localcloud/http.py, without a server."""

import asyncio
import gzip

import pytest

from localcloud.errors import ApiError
from localcloud.http import Request, pieces


def _read(*chunks: bytes, **headers: str) -> bytes:
    request = Request("POST", "/", "", headers, "http", pieces(*chunks))
    return asyncio.run(request.read(1000))


def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert _read(b"x" * 600, b"y" * 400) == b"x" * 600 + b"y" * 400


@pytest.mark.parametrize("chunks", [[b"x" * 1001], [b"x" * 1000, b"y"]])
def test_a_longer_body_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(ApiError, match="exceeds the limit: 1000 bytes"):
        _read(*chunks)


def test_a_longer_body_is_received_to_its_end() -> None:
    body = pieces(b"x" * 1001, b"y", b"z")
    request = Request("POST", "/", "", {}, "http", body)

    async def left_after_refusal() -> list[bytes]:
        with pytest.raises(ApiError):
            await request.read(1000)
        return [chunk async for chunk in body]

    assert asyncio.run(left_after_refusal()) == []


def test_decompression_ends_at_the_limit() -> None:
    """The invalid rest shows it: decompressing it would give another error."""
    packed = gzip.compress(b" " * 100_000)

    with pytest.raises(ApiError, match="exceeds the limit"):
        _read(packed, b"this is not gzip", **{"content-encoding": "gzip"})
