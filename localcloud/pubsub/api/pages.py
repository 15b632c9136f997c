"""Lists in pages: sorted by name, the token of a page is the last name of the one before."""

from base64 import b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable

from localcloud.errors import ApiError

DEFAULT_SIZE = 100
MAX_SIZE = 1000


def page(names: Iterable[str], size: int, token: str) -> tuple[list[str], str]:
    """The names of one page, and the token of the next or the empty string."""
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
