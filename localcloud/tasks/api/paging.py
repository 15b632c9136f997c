"""pageSize, pageToken and responseView, as every list method takes them."""

import base64
import re
from collections.abc import Mapping

from localcloud.errors import ApiError
from localcloud.tasks.messages import BASIC, FULL

_VIEWS = {"": BASIC, "0": BASIC, "1": BASIC, "2": FULL}
_VIEWS |= {"VIEW_UNSPECIFIED": BASIC, "BASIC": BASIC, "FULL": FULL}


def page_size(query: Mapping[str, str], most: int) -> int:
    """How many to list; the most there may be when nothing, or more than that, is asked for."""
    text = query.get("pageSize", "0")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at 'page_size': {text!r} is not a number.")
    return min(int(text) or most, most)


def page_token(query: Mapping[str, str]) -> str:
    """What `next_token` was given; empty for the first page."""
    text = query.get("pageToken", "")
    try:
        return base64.urlsafe_b64decode(text).decode()
    except ValueError:
        raise ApiError("INVALID_ARGUMENT", "Invalid value at 'page_token'.") from None


def next_token(last: str) -> str:
    """A token for the page after this one."""
    return base64.urlsafe_b64encode(last.encode()).decode()


def view(value: str) -> int:
    """BASIC unless FULL is asked for, by name or number."""
    if value not in _VIEWS:
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at 'response_view': {value}.")
    return _VIEWS[value]
