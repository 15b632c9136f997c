"""Answers of the doors and the status service, held to their OpenAPI documents in docs/contracts/."""

import functools
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import contracts

#: Methods that no document lists: a preflight is the browser's own.
NOT_LISTED = ("OPTIONS",)


class CheckedClient(FlaskClient):
    """A client that fails the test at an answer outside of the contract."""

    #: The folder of its function.
    service = ""

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        answer = super().open(*arguments, **options)
        found = faults(document(self.service), answer)
        assert not found, f"{answer.request.method} {answer.request.path} of {self.service}: {found}"
        return answer


@functools.cache
def document(service: str) -> dict[str, Any]:
    """The OpenAPI document of a service, empty for one without."""
    path = contracts.FOLDER / f"{service}.openapi.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def faults(whole: dict[str, Any], answer: TestResponse) -> list[str]:
    """The rules of a document that this answer breaks. A path that matches several templates may keep to any."""
    method, path = answer.request.method, urlsplit(answer.request.path).path
    items = [item for template, item in whole.get("paths", {}).items() if _matches(template, path)]
    if not items or method in NOT_LISTED:
        return []
    operations = [item[method.lower()] for item in items if method.lower() in item]
    if not operations:
        return [] if answer.status_code == 405 else [f"{answer.status_code} to a method that is not listed"]
    tried = [list(_breaks(operation, method, answer, whole)) for operation in operations]
    return min(tried, key=len)


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\{\w+\\}", ".+", re.escape(template)), path, re.DOTALL) is not None


def _breaks(operation: dict[str, Any], method: str, answer: TestResponse, whole: dict[str, Any]) -> Iterator[str]:
    listed = operation["responses"].get(str(answer.status_code))
    if listed is None:
        yield f"status {answer.status_code} is not listed"
        return
    listed = contracts.resolved(listed, whole)
    yield from _headers(listed.get("headers", {}), answer)
    content = listed.get("content")
    if content and method != "HEAD":
        yield from _body(content, answer, whole)


def _headers(listed: dict[str, Any], answer: TestResponse) -> Iterator[str]:
    for name, header in listed.items():
        value = answer.headers.get(name)
        if value is None and header.get("required"):
            yield f"header {name} is missing"
        elif value is not None:
            yield from (f"header {name}: {error.message}" for error in contracts.validator(header["schema"]).iter_errors(value))


def _body(content: dict[str, Any], answer: TestResponse, whole: dict[str, Any]) -> Iterator[str]:
    if answer.mimetype not in content:
        yield f"content type {answer.mimetype} is not listed"
        return
    schema, value = content[answer.mimetype]["schema"], json.loads(answer.data)
    rooted = {**schema, "components": whole["components"]}
    yield from (f"{error.json_path}: {error.message}"[:500] for error in contracts.validator(rooted).iter_errors(value))
    yield from (f"{path} is not listed" for path in contracts.unlisted(value, _alternative(schema, value, whole), whole))


def _alternative(schema: dict[str, Any], value: Any, whole: dict[str, Any]) -> dict[str, Any]:
    """The first alternative that fits the value: its fields are the listed ones."""
    for one in schema.get("anyOf", schema.get("oneOf", ())):
        if contracts.validator({**one, "components": whole["components"]}).is_valid(value):
            found: dict[str, Any] = one
            return found
    return schema
