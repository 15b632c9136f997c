"""Lists in pages: `pageSize` and `pageToken`."""

import base64
import re
from collections.abc import Mapping

from localcloud.errors import ApiError


def page_size(query: Mapping[str, str], maximum: int) -> int:
    """Items per page: `pageSize`, at most `maximum`, which is also the default."""
    text = query.get("pageSize", "0")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at 'page_size': {text!r} is not a number.")
    return min(int(text) or maximum, maximum)


def page_token(query: Mapping[str, str]) -> str:
    """The last item of the page before; empty for the first page."""
    try:
        return base64.urlsafe_b64decode(query.get("pageToken", "")).decode()
    except ValueError:
        raise ApiError("INVALID_ARGUMENT", "Invalid value at 'page_token'.") from None


def next_token(last: str) -> str:
    """The token of the page after the item `last`."""
    return base64.urlsafe_b64encode(last.encode()).decode()
