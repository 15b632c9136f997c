"""Paged lists, sorted by name. A page's token is the last name of the page before."""

from base64 import b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from localcloud.errors import ApiError
from localcloud.pubsub.rules import names

DEFAULT_SIZE = 100
MAX_SIZE = 1000

T = TypeVar("T")


def page_of_project(resources: Mapping[str, T], kind: str, request: Any) -> tuple[list[T], str]:
    """A page of the project's resources, and the next page's token. Raises `ApiError` (INVALID_ARGUMENT)."""
    names.check_project(request.project)
    prefix = f"{request.project}/{kind}/"
    chosen = (name for name in resources if name.startswith(prefix))
    found, token = page(chosen, request.page_size, request.page_token)
    return [resources[name] for name in found], token


def page(names: Iterable[str], size: int, token: str) -> tuple[list[str], str]:
    """The names of a page, and the next page's token or "". Raises `ApiError` (INVALID_ARGUMENT)."""
    if size < 0:
        raise ApiError("INVALID_ARGUMENT", f"Invalid page size given (page_size={size}).")
    after = _decoded(token)
    size = min(size or DEFAULT_SIZE, MAX_SIZE)
    rest = sorted(name for name in names if name > after)
    chosen = rest[:size]
    is_last = len(rest) <= size
    return chosen, "" if is_last else urlsafe_b64encode(chosen[-1].encode()).decode()


def _decoded(token: str) -> str:
    try:
        return b64decode(token, altchars=b"-_", validate=True).decode()
    except (Base64Error, ValueError):
        raise ApiError("INVALID_ARGUMENT", "Invalid page token given.") from None
