"""JSON bodies are read up to a limit, with a Content-Length and without."""

import io

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from shared import web
from shared.errors import TooLarge


def chunked(body: bytes) -> Request:
    """A request with `Transfer-Encoding: chunked`, as gunicorn presents it."""
    environ = EnvironBuilder(method="POST", input_stream=io.BytesIO(body)).get_environ()
    del environ["CONTENT_LENGTH"]
    return Request(environ | {"wsgi.input_terminated": True})


def test_a_body_without_a_length_is_read_like_any_other() -> None:
    assert web.json_body(chunked(b'{"a": 1}'), 100) == {"a": 1}


@pytest.mark.parametrize("size", [100, 101, 1 << 20])
def test_a_large_body_without_a_length_is_refused(size: int) -> None:
    with pytest.raises(TooLarge, match="reaches the limit of 100 bytes"):
        web.json_body(chunked(b'{"a": ' + b"1" * (size - 7) + b"}"), 100)
