"""Custom metadata that a client sends with a file: the checks of the doors. Pure.

Cloud Storage carries it as headers `x-goog-meta-<key>: <value>`, so keys are header names, in lower case, and values are printable.
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.errors import BadRequest

PREFIX = "x-goog-meta-"
#: Limit of Cloud Storage for all keys and values of an object together.
MAX_BYTES = 8 << 10
#: Keys that begin so choose steps and options, or mark a file.
OURS = "sluice-"
#: Keys that mark a file as made from another one; only the pipeline sets them.
RESERVED = ("sluice-hops", "sluice-parent", "sluice-member")

#: RFC 9110 §5.6.2, token
_KEY = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
#: RFC 9110 §5.5, ASCII only: clients and servers disagree on the encoding of other characters.
_VALUE = re.compile(r"[ -~]*")


def copied(given: Mapping[str, str]) -> dict[str, str]:
    """The metadata of a file that its outputs may have: without those that are for the pipeline."""
    return {key: value for key, value in given.items() if not key.startswith(OURS)}


def joined(first: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """The first metadata, and of the others those that fit beside them, in their order."""
    both = dict(first)
    left = MAX_BYTES - sum(len(key) + len(value.encode()) for key, value in first.items())
    for key, value in more.items():
        size = len(key.encode()) + len(value.encode())
        if key not in both and size <= left:
            both[key] = value
            left -= size
    return both


def check(given: Mapping[str, Any]) -> dict[str, str]:
    """The metadata with keys in lower case and without empty values, which mean the same as no value.

    Raises `BadRequest` naming the key.
    """
    checked = dict(_pair(key.lower(), value) for key, value in given.items())
    size = sum(len(key) + len(value) for key, value in checked.items())
    if size > MAX_BYTES:
        largest = max(checked, key=lambda key: len(checked[key]))
        raise _bad(largest, f"with it, keys and values have {size} bytes together; the limit is {MAX_BYTES}")
    return {key: value for key, value in checked.items() if value}


def prefixed(pairs: Mapping[str, str]) -> dict[str, str]:
    """The metadata among headers or query parameters: those named `x-goog-meta-<key>`, without that prefix."""
    return {name[len(PREFIX) :]: value for name, value in pairs.items() if name.lower().startswith(PREFIX)}


def _pair(key: str, value: Any) -> tuple[str, str]:
    if not _KEY.fullmatch(key):
        raise _bad(key, "not a key; write letters, digits and `-`, as in a header's name")
    if key in RESERVED:
        raise BadRequest(
            f"{PREFIX}{key}: only the pipeline sets this key; leave it out", "reserved_metadata", field=PREFIX + key
        )
    if not isinstance(value, str):
        raise _bad(key, f"{value!r:.80} is not a string; send a string")
    if not _VALUE.fullmatch(value):
        raise _bad(key, "the value has characters that are not printable ASCII; percent-encode them")
    return key, value.strip()


def _bad(key: str, problem: str) -> BadRequest:
    return BadRequest(f"{PREFIX}{key[:80]}: {problem}", "bad_metadata", field=f"{PREFIX}{key[:80]}")
