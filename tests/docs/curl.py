"""A curl command of the docs, sent to an entry point in memory instead of over a network."""

import argparse
import io
import mimetypes
import shlex
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from werkzeug.test import Client, TestResponse

from tests.conftest import DATA

#: What the examples send.
FILES = {"photo.jpg": (DATA / "photo.jpg").read_bytes(), "notes.txt": b"a few words\n", "empty.txt": b""}

_CURL = argparse.ArgumentParser(exit_on_error=False)
_CURL.add_argument("-H", dest="headers", action="append", default=[])
_CURL.add_argument("-F", dest="form", action="append", default=[])
_CURL.add_argument("-T", dest="upload")
_CURL.add_argument("-X", dest="method")
_CURL.add_argument("-d", dest="data")
_CURL.add_argument("url")


def send(command: str, client: Callable[[str], Client]) -> TestResponse:
    """Call the function `upload` for `curl -T photo.jpg "$SLUICE_UPLOAD_URL/"`, and so on."""
    words = shlex.split(command.replace("\\\n", ""))
    if words[0] != "curl":
        raise ValueError(f"not a curl command: {command}")
    asked = _CURL.parse_args(words[1:])
    base, _, rest = asked.url.partition("/")
    function = base.removeprefix("$SLUICE_").removesuffix("_URL").lower()
    method, path, body = _body(asked, f"/{rest}")
    headers = dict(header.split(": ", 1) for header in asked.headers)
    return client(function).open(path, method=asked.method or method, headers=headers, **body)


def _body(asked: argparse.Namespace, path: str) -> tuple[str, str, dict[str, Any]]:
    """Method, path and body as curl derives them from its options."""
    if asked.upload:
        return "PUT", path + asked.upload if path.endswith("/") else path, {"data": FILES[asked.upload]}
    if asked.form:
        fields = dict(field.split("=", 1) for field in asked.form if "=@" not in field)
        return "POST", path, {"data": fields | {"file": [_part(field) for field in asked.form if "=@" in field]}}
    if asked.data is not None:
        return "POST", path, {"data": asked.data}
    return "GET", path, {}


def _part(field: str) -> tuple[io.BytesIO, str, str]:
    name = PurePosixPath(field.partition("=@")[2]).name
    return io.BytesIO(FILES[name]), name, mimetypes.guess_type(name)[0] or "application/octet-stream"
